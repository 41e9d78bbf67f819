CREATE SCHEMA app;

CREATE TABLE app.event (id integer NOT NULL, note text, kept text, fresh integer DEFAULT 1 NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE app.event_low PARTITION OF app.event FOR VALUES FROM (0) TO (100);
CREATE TABLE app.event_high PARTITION OF app.event FOR VALUES FROM (100) TO (200);
