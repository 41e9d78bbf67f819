CREATE SCHEMA app;

CREATE TABLE app.event (id integer NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE app.event_low PARTITION OF app.event FOR VALUES FROM (0) TO (100);
CREATE TABLE app.thing (id integer NOT NULL);
CREATE TABLE app.heir () INHERITS (app.thing);
CREATE TABLE app.book (id integer NOT NULL);
CREATE TABLE app.novel () INHERITS (app.book);
