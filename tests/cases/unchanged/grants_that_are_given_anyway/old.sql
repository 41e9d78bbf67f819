CREATE TABLE contacts (id integer);
CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
