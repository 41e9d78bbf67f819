CREATE TABLE public.contact (id integer PRIMARY KEY, name text COLLATE "C");
CREATE INDEX contact_name ON public.contact (name);
