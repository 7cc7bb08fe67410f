-- The next time of each schedule that nothing was decided about, and what was decided about the earlier ones.
create table schedule (
  name varchar primary key,
  definition varchar not null,
  next_at timestamp with time zone not null
);

create table occurrence (
  schedule varchar not null,
  at timestamp with time zone not null,
  outcome varchar not null,
  job varchar references job (id),
  primary key (schedule, at)
);
create index occurrence_by_job on occurrence (job);
