CREATE SCHEMA app;

CREATE TABLE app.event (id integer NOT NULL, amount bigint, code text) PARTITION BY RANGE (id);
CREATE TABLE app.event_low PARTITION OF app.event FOR VALUES FROM (0) TO (100);
CREATE TABLE app.event_high PARTITION OF app.event FOR VALUES FROM (100) TO (200);
