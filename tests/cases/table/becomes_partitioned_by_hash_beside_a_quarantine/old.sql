CREATE TABLE t (id integer PRIMARY KEY, v text);
CREATE TABLE faxes (id integer PRIMARY KEY, t integer REFERENCES t);
