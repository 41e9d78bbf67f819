CREATE TABLE contacts (id integer, name text);
CREATE TABLE log (id integer);
CREATE RULE note AS ON INSERT TO contacts DO ALSO INSERT INTO log VALUES (NEW.id);
COMMENT ON RULE note ON contacts IS 'Writes things down';
