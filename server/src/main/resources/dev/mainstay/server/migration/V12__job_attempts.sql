-- Each try at a job and what became of it; a job that failed of what may pass waits, queued, until its next one is due.
create table job_attempt (
  job varchar not null references job (id),
  number integer not null,
  server varchar not null,
  state varchar not null,
  started_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  error varchar,
  message varchar,
  hint varchar,
  backups varchar not null,
  primary key (job, number)
);
alter table job add column attempts integer default 0 not null;
alter table job add column due_at timestamp with time zone;

insert into job_attempt (job, number, server, state, started_at, ended_at, error, message, hint, backups)
  select id, 1, coalesce(server, ''), state, started_at, ended_at, error, message, hint, '' from job where started_at is not null;
update job set attempts = 1 where started_at is not null;
