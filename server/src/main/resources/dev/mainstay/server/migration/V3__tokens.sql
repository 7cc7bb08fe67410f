-- Who may use the API. Of a token only its digest is here: it is random, so no one finds it from that.
create table api_token (
  id varchar primary key,
  name varchar not null,
  role varchar not null,
  digest varchar not null unique,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone
);
