CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
CREATE FUNCTION how_many() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS 'SELECT count(*) FROM public.contacts';
