CREATE UNLOGGED TABLE public.visit (id integer PRIMARY KEY);
CREATE PUBLICATION everything;
