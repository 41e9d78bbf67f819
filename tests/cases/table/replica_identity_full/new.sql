CREATE TABLE contacts (id integer);
ALTER TABLE contacts REPLICA IDENTITY FULL;
