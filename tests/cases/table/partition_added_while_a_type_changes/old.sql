CREATE SCHEMA app;

CREATE TABLE app.event (id integer NOT NULL, amount integer, code varchar(20)) PARTITION BY RANGE (id);
CREATE TABLE app.event_low PARTITION OF app.event FOR VALUES FROM (0) TO (100);
