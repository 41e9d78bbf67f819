CREATE TABLE contacts (name varchar(100));
CREATE INDEX contacts_name_idx ON contacts (name);
