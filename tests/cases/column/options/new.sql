CREATE TABLE contacts (id integer, city text);
ALTER TABLE contacts ALTER COLUMN city SET (n_distinct = -0.5, n_distinct_inherited = 100);
