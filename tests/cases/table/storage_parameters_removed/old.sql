CREATE TABLE contacts (id integer, bio text) WITH (fillfactor = 70, toast.autovacuum_enabled = false);
