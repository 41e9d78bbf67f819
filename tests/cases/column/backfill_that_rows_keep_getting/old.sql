CREATE TABLE people (
    id bigint PRIMARY KEY,
    first_name text,
    last_name text
);
