CREATE TABLE contacts (id integer, name text, city text);
CREATE STATISTICS places ON name, city FROM contacts;
ALTER STATISTICS places SET STATISTICS 7;
