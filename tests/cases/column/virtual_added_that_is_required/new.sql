CREATE TABLE orders (id integer, net integer NOT NULL, gross integer GENERATED ALWAYS AS (net * 2) VIRTUAL NOT NULL);
CREATE TABLE empty (id integer, net integer NOT NULL, gross integer GENERATED ALWAYS AS (net * 2) VIRTUAL NOT NULL);
CREATE TABLE person (id integer, name text NOT NULL, short text GENERATED ALWAYS AS (left(name, 3)) VIRTUAL CONSTRAINT has_short NOT NULL);
CREATE TABLE customer () INHERITS (person);
