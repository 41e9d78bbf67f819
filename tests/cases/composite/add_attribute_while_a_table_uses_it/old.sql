CREATE TYPE address AS (street text);
CREATE TABLE people (id integer, home address, others address[]);
