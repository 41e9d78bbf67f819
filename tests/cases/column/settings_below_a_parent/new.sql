CREATE SCHEMA app;

CREATE TABLE app.event (id integer NOT NULL, note text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE app.event_low PARTITION OF app.event FOR VALUES FROM (0) TO (100);
ALTER TABLE app.event_low ALTER COLUMN note SET STATISTICS 500, ALTER COLUMN note SET STORAGE EXTERNAL;
CREATE TABLE app.thing (id integer NOT NULL, note text);
CREATE TABLE app.heir () INHERITS (app.thing);
ALTER TABLE app.thing ALTER COLUMN note SET STATISTICS 100;
ALTER TABLE ONLY app.thing ALTER COLUMN note SET (n_distinct = 5);
ALTER TABLE app.heir ALTER COLUMN note SET STATISTICS 600;
CREATE TABLE app.book (id integer NOT NULL, title text);
CREATE TABLE app.novel (CONSTRAINT novel_title CHECK (title <> '')) INHERITS (app.book);
ALTER TABLE app.novel ALTER COLUMN title SET NOT NULL;
