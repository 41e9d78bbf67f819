CREATE TABLE people (
    id bigint PRIMARY KEY,
    first_name text,
    last_name text,
    full_name text NOT NULL
);
CREATE TABLE members (since date) INHERITS (people);
CREATE TABLE patrons (gives numeric) INHERITS (members);
