CREATE TABLE contacts (id integer, size integer, twice integer GENERATED ALWAYS AS (size * 2) STORED);
CREATE INDEX contacts_twice_idx ON contacts (twice);
