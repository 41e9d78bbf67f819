CREATE TABLE contacts (id integer, city text);
CREATE MATERIALIZED VIEW cities AS SELECT DISTINCT upper(city) AS city FROM contacts;
CREATE MATERIALIZED VIEW letters AS SELECT DISTINCT left(city, 1) AS letter FROM cities;
