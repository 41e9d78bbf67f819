CREATE TABLE contacts (
    id integer PRIMARY KEY,
    name varchar(50),
    email text,
    score integer DEFAULT 0,
    fax text
);
CREATE INDEX contacts_name_idx ON contacts (name);
