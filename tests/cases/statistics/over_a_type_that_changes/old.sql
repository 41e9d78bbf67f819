CREATE TABLE contacts (id integer, name text, city text);
CREATE STATISTICS places ON id, (id + 1) FROM contacts;
