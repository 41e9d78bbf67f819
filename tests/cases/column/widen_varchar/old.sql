CREATE TABLE contacts (name varchar(50));
CREATE INDEX contacts_name_idx ON contacts (name);
