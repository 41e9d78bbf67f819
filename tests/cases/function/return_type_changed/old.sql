-- CREATE OR REPLACE cannot do this; the view and the default have to step aside.
CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TABLE numbers (n bigint DEFAULT one());
CREATE VIEW ones AS SELECT one()::bigint AS one;
