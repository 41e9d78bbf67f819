CREATE TABLE contacts (id integer, twice integer GENERATED ALWAYS AS (id * 2) VIRTUAL CHECK (twice > 0));
