CREATE TABLE contacts (id integer, a integer);
CREATE UNIQUE INDEX one ON contacts (a) NULLS NOT DISTINCT;
