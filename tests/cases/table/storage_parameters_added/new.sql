CREATE TABLE contacts (id integer, bio text)
    WITH (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 70, toast.autovacuum_enabled = false);
