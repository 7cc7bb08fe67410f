-- Where the receiver of each source's WAL stands, as the server that runs it last said.
create table receiver (
  source varchar primary key,
  server varchar not null,
  state varchar not null,
  since timestamp with time zone not null,
  seen_at timestamp with time zone not null,
  timeline integer,
  server_lsn varchar,
  spooled_lsn varchar,
  stored_lsn varchar,
  spooled_lag_millis bigint,
  stored_lag_millis bigint,
  waiting_bytes bigint,
  warning varchar,
  error varchar,
  message varchar,
  hint varchar
);
