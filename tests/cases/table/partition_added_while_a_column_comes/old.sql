CREATE SCHEMA app;

CREATE TABLE app.event (id integer NOT NULL, note text, kept text) PARTITION BY RANGE (id);
CREATE TABLE app.event_low PARTITION OF app.event FOR VALUES FROM (0) TO (100);
