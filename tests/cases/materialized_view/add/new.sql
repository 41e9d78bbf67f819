CREATE TABLE contacts (id integer, city text);
CREATE MATERIALIZED VIEW cities AS SELECT city, count(*) AS contacts FROM contacts GROUP BY city;
CREATE UNIQUE INDEX cities_city_idx ON cities (city);
