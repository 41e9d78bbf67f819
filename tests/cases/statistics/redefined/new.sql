CREATE TABLE contacts (id integer, name text, city text);
CREATE STATISTICS places (ndistinct, mcv) ON name, lower(city) FROM contacts;
ALTER STATISTICS places SET STATISTICS 7;
