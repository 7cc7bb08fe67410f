-- What is or was wrong. Of one key at most one is open.
create table alert (
  id varchar primary key,
  alert_key varchar not null,
  rule varchar not null,
  subject varchar not null,
  severity varchar not null,
  state varchar not null,
  occasion varchar not null,
  title varchar not null,
  reason varchar not null,
  meaning varchar not null,
  todo varchar not null,
  began_at timestamp with time zone not null,
  raised_at timestamp with time zone not null,
  seen_at timestamp with time zone not null,
  acknowledged_at timestamp with time zone,
  acknowledged_by varchar,
  resolved_at timestamp with time zone,
  resolved_by varchar,
  hushed boolean not null,
  escalated_at timestamp with time zone
);
create index alert_by_key on alert (alert_key, id);
create index alert_by_state on alert (state, id);

-- Who is to be told of what, through which channel, and what became of it.
create table notice (
  id varchar primary key,
  channel varchar not null,
  news varchar not null,
  alert varchar references alert (id),
  severity varchar not null,
  subject varchar not null,
  body varchar not null,
  created_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  state varchar not null,
  attempts integer not null,
  sent_at timestamp with time zone,
  error varchar
);
create index notice_by_due on notice (state, due_at);
create index notice_by_alert on notice (alert);

-- The scheduler library's own (db-scheduler 16), for watching alone: it waits for no job.
create table watch_tasks (
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

create table daily_report (
  at timestamp with time zone primary key,
  body varchar not null
);
