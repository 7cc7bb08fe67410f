-- The sources that a token is for, one a line; null for all of them and the whole repository.
alter table api_token add column sources varchar;
