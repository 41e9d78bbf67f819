CREATE TABLE contacts (id integer) WITH (autovacuum_vacuum_max_threshold = 1000, vacuum_truncate = false, vacuum_max_eager_freeze_failure_rate = 0.5);
