-- What somebody asked leave to destroy, and who agreed. Of what has to be sent only a digest is here.
create table confirmation (
  id varchar primary key,
  action varchar not null,
  target varchar not null,
  source varchar not null,
  least varchar not null,
  digest varchar not null unique,
  bound varchar not null,
  words varchar not null,
  asked_by varchar not null,
  persons varchar not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  second_person boolean not null,
  approved_by varchar,
  approved_at timestamp with time zone,
  refused_by varchar,
  refused_at timestamp with time zone,
  used_at timestamp with time zone
);
create index confirmation_by_time on confirmation (expires_at);

-- Whose a token is by whom it was made: nobody is two persons by making a token for himself.
alter table api_token add column made_by varchar;
