-- How large things were, once an hour: what tells when they are full.
create table size_sample (
  what varchar not null,
  at timestamp with time zone not null,
  bytes bigint not null,
  primary key (what, at)
);
