-- Who did what, chained by hash: each entry holds the hash of the one before. `audit_head` has one row, whose lock makes one order of all servers' entries.
create table audit_head (
  id integer primary key,
  trail varchar not null,
  position bigint not null,
  number bigint not null,
  hash varchar not null,
  published bigint not null,
  signing_key varchar
);

create table audit_entry (
  position bigint primary key,
  trail varchar not null,
  number bigint not null,
  previous varchar not null,
  at timestamp with time zone not null,
  server varchar not null,
  who varchar not null,
  address varchar not null,
  action varchar not null,
  target varchar not null,
  outcome varchar not null,
  times bigint not null,
  hash varchar not null,
  unique (trail, number)
);
create index audit_entry_by_who on audit_entry (who, position);
create index audit_entry_by_action on audit_entry (action, position);
create index audit_entry_by_outcome on audit_entry (outcome, position);
create index audit_entry_by_address on audit_entry (address, position);
