CREATE TABLE t (id integer, name text);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER t BEFORE UPDATE OR INSERT ON public.t FOR ROW WHEN (((NEW.name = ANY (ARRAY['a'::text, 'b'::text])))) EXECUTE PROCEDURE public.f();
