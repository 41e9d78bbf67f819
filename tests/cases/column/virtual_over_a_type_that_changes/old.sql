CREATE TABLE contacts (id integer, size smallint, twice integer GENERATED ALWAYS AS (size * 2) VIRTUAL);
CREATE VIEW sizes AS SELECT id, twice FROM contacts;
