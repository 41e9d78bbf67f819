CREATE EXTENSION citext;
CREATE TABLE contacts (mail citext);
CREATE INDEX contacts_idx ON contacts (mail);
