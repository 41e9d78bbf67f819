CREATE TABLE parent (id integer, twice integer GENERATED ALWAYS AS (id * 3) VIRTUAL);
CREATE TABLE child () INHERITS (parent);
