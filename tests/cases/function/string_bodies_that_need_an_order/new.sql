CREATE TABLE zoo (id integer);
CREATE FUNCTION z_count() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM zoo $$;
CREATE FUNCTION a_count() RETURNS bigint LANGUAGE sql AS $$ SELECT z_count() + 1 $$;
