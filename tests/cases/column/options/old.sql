CREATE TABLE contacts (id integer, city text);
ALTER TABLE contacts ALTER COLUMN id SET (n_distinct = 5);
