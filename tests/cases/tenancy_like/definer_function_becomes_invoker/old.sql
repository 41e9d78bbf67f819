CREATE TABLE contacts (user_id integer, name text);
CREATE FUNCTION contact_names() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
    AS $$ SELECT name FROM public.contacts $$;
