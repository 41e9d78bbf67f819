CREATE TABLE IF NOT EXISTS contacts (id int);
CREATE RULE quiet AS ON DELETE TO contacts DO INSTEAD NOTHING;
CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0');
