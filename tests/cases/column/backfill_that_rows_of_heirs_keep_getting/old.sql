CREATE TABLE people (
    id bigint PRIMARY KEY,
    first_name text,
    last_name text
);
CREATE TABLE members (since date) INHERITS (people);
CREATE TABLE patrons (gives numeric) INHERITS (members);
