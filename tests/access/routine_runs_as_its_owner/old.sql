CREATE TABLE contacts (id integer PRIMARY KEY, owner_name text NOT NULL, phone text);
CREATE FUNCTION how_many() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM public.contacts';
