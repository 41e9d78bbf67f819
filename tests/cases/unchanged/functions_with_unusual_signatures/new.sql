CREATE FUNCTION public.f(a integer, OUT b character varying, VARIADIC c integer[]) RETURNS character varying
    LANGUAGE sql AS ' SELECT ''x'' ';
CREATE FUNCTION public.g() RETURNS TABLE(x integer) LANGUAGE SQL AS ' SELECT 1 ';
