CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL);
CREATE VIEW one AS SELECT id, name FROM person;
CREATE VIEW two AS SELECT id, name FROM one;
