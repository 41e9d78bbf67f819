CREATE TABLE other (id integer);
CREATE TABLE contacts (id integer, name text);
ALTER TABLE contacts ADD CONSTRAINT named NOT NULL id NOT VALID, ADD NOT NULL name NOT VALID;
