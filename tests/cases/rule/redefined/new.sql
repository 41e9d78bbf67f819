CREATE TABLE contacts (id integer, name text);
CREATE TABLE log (id integer);
CREATE RULE note AS ON UPDATE TO contacts WHERE NEW.id > 0 DO ALSO INSERT INTO log VALUES (OLD.id);
