-- Which job a key of whoever asked has started, for a day: asked again, it is that job.
create table idempotency (
  who varchar not null,
  idempotency_key varchar not null,
  digest varchar not null,
  job varchar not null references job (id),
  created_at timestamp with time zone not null,
  primary key (who, idempotency_key)
);
create index idempotency_by_time on idempotency (created_at);
