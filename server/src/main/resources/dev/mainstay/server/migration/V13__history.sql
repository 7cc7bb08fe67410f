-- What became of jobs that are forgotten, counted: what has ever been goes on to count.
create table job_past (
  kind varchar not null,
  target varchar not null,
  type varchar not null,
  state varchar not null,
  jobs bigint not null,
  seconds double precision not null,
  primary key (kind, target, type, state)
);

-- Of what type a backup is: as it was taken, else as it was asked for.
create view job_of_type as select id, kind, target, state, started_at, ended_at,
  case when kind <> 'backup' then ''
    when result like '%"type":"full"%' then 'full'
    when result like '%"type":"incremental"%' then 'incremental'
    when parameters like '%"type":"full"%' then 'full'
    when parameters like '%"type":"incremental"%' then 'incremental'
    else 'auto' end as type
  from job;

create index job_by_end on job (ended_at, id);
create index occurrence_by_time on occurrence (at);
create index idempotency_by_job on idempotency (job);
