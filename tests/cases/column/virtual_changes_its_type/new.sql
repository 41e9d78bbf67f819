CREATE TABLE contacts (id integer, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
