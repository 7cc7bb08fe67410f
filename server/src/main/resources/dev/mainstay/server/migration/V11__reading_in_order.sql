-- What is asked for page by page is read in the order of an index, from where a page begins.
create index audit_entry_by_time on audit_entry (at, position);
create index job_by_state_and_id on job (state, id);
create index job_by_kind on job (kind, id);
