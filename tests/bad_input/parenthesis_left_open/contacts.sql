CREATE TABLE contacts (
    id bigint PRIMARY KEY,
    name text CHECK (length(name) > 0
);

CREATE INDX contacts_name ON contacts (name);
