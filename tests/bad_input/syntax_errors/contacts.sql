-- Every statement is read by itself, so that one fault hides no other.
CREATE TABLE contacts (
    id serial PRIMARY KEY,
    name text,
);

CREATE INDX contacts_name ON contacts (name);

CREATE VIEW names AS SELECT name FROM contacts;
