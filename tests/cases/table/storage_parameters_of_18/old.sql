CREATE TABLE contacts (id integer) WITH (vacuum_truncate = true);
