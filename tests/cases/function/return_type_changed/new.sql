CREATE FUNCTION one() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE TABLE numbers (n bigint DEFAULT one());
CREATE VIEW ones AS SELECT one()::bigint AS one;
