CREATE FUNCTION next_number() RETURNS text LANGUAGE sql AS $$ SELECT to_char(now(), 'YYYY') $$;
CREATE TABLE orders (id integer, number text DEFAULT next_number());
