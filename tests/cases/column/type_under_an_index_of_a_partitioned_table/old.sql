CREATE SCHEMA app;

CREATE TABLE app.event (id integer NOT NULL, name varchar(20), code varchar(9), CONSTRAINT event_id_code_key UNIQUE (id, code))
    PARTITION BY RANGE (id);
CREATE TABLE app.event_low PARTITION OF app.event FOR VALUES FROM (0) TO (100);
CREATE TABLE app.event_rest PARTITION OF app.event DEFAULT;
CREATE INDEX event_name ON app.event (name);
