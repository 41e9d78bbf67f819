CREATE TABLE contacts (id integer, size bigint);
CREATE FUNCTION big(id integer) RETURNS boolean LANGUAGE sql BEGIN ATOMIC SELECT size > 5 FROM contacts c WHERE c.id = big.id; END;
GRANT EXECUTE ON FUNCTION big(integer) TO app_reader;
CREATE VIEW big_ones AS SELECT id FROM contacts WHERE big(id);
