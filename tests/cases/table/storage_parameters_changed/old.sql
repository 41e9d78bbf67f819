CREATE TABLE contacts (id integer) WITH (fillfactor = 70, autovacuum_enabled = false);
