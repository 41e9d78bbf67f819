CREATE TABLE public.contact (id integer PRIMARY KEY, name varchar(20), CHECK (name <> 'x'));
CREATE INDEX contact_name ON public.contact (name) WHERE name <> '';
CREATE UNIQUE INDEX contact_plain ON public.contact (name);
