CREATE TABLE contacts (id integer, name text);
CREATE FUNCTION label(c contacts) RETURNS text LANGUAGE sql STABLE AS $$ SELECT c.id || c.name $$;
CREATE FUNCTION all_contacts() RETURNS SETOF contacts LANGUAGE sql STABLE AS $$ SELECT * FROM contacts $$;
