-- Every job that ever was: what was asked, what became of it. Good on H2 (PostgreSQL mode) and PostgreSQL.
create table job (
  id varchar primary key,
  lane varchar not null,
  kind varchar not null,
  target varchar not null,
  parameters varchar not null,
  requested_by varchar not null,
  state varchar not null,
  created_at timestamp with time zone not null,
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  server varchar,
  cancel_requested boolean not null,
  step varchar,
  bytes_done bigint not null,
  bytes_total bigint not null,
  step_began_at timestamp with time zone,
  seen_at timestamp with time zone,
  error varchar,
  message varchar,
  hint varchar,
  result varchar not null
);
create index job_by_target on job (target, id);
create index job_by_state on job (state, lane, id);

create table job_log (
  job varchar not null references job (id),
  line integer not null,
  at timestamp with time zone not null,
  text varchar not null,
  primary key (job, line)
);

-- Who may write where: jobs of one lane run one after the other, whichever server runs them.
create table writer (
  lane varchar primary key,
  job varchar not null references job (id)
);

-- The scheduler library's own (db-scheduler 16).
create table scheduled_tasks (
  task_name varchar not null,
  task_instance varchar not null,
  task_data bytea,
  execution_time timestamp with time zone not null,
  picked boolean not null,
  picked_by varchar,
  last_success timestamp with time zone,
  last_failure timestamp with time zone,
  consecutive_failures integer,
  last_heartbeat timestamp with time zone,
  version bigint not null,
  priority smallint,
  primary key (task_name, task_instance)
);
create index scheduled_tasks_by_time on scheduled_tasks (execution_time);
create index scheduled_tasks_by_heartbeat on scheduled_tasks (last_heartbeat);
