CREATE SCHEMA app;

CREATE TABLE app.event (id integer NOT NULL, kept text, CONSTRAINT event_id_check CHECK (id > 0)) PARTITION BY RANGE (id);
CREATE TABLE app.event_low PARTITION OF app.event FOR VALUES FROM (0) TO (100);
CREATE TABLE app.event_high PARTITION OF app.event FOR VALUES FROM (100) TO (200) PARTITION BY HASH (id);
CREATE TABLE app.event_high_all PARTITION OF app.event_high FOR VALUES WITH (MODULUS 1, REMAINDER 0);
