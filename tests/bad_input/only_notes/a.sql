CREATE TABLE IF NOT EXISTS contacts (id int);
CREATE COLLATION german (provider = icu, locale = 'de');
CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0');
