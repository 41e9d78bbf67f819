CREATE TABLE parent (id integer, twice integer GENERATED ALWAYS AS (id * 2) VIRTUAL);
CREATE TABLE child () INHERITS (parent);
