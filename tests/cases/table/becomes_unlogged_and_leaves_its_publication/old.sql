CREATE TABLE public.visit (id integer PRIMARY KEY);
CREATE PUBLICATION everything FOR TABLE public.visit WHERE (id > 0);
