CREATE TABLE contacts (user_id integer, name text);
CREATE FUNCTION contact_names() RETURNS SETOF text LANGUAGE sql STABLE
    AS $$ SELECT name FROM public.contacts $$;
REVOKE ALL ON FUNCTION contact_names() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contact_names() TO authenticated;
