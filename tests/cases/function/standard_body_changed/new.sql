CREATE TABLE contacts (id integer, name text);
CREATE FUNCTION name_of(who integer) RETURNS text LANGUAGE sql
    BEGIN ATOMIC SELECT upper(name) FROM contacts WHERE id = who; END;
