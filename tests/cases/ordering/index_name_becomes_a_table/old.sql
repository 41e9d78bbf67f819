CREATE TABLE contacts (id integer);
CREATE INDEX things ON contacts (id);
