CREATE TABLE contacts (id integer);
CREATE PROCEDURE clean() LANGUAGE sql AS $$ DELETE FROM contacts WHERE id < 0 $$;
