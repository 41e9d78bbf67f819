CREATE FUNCTION odd() RETURNS text LANGUAGE sql AS $x$ SELECT $$it's$$ || '$_$' || E'\\' || '$function$' $x$;
