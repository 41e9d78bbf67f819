CREATE TABLE contacts (id integer, name text);
CREATE FUNCTION name_of(who integer) RETURNS text LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT name FROM contacts WHERE id = who;
    END;
CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql RETURN n * 2;
