CREATE TABLE public.lines (id bigint PRIMARY KEY, price bigint);
CREATE PUBLICATION feed FOR TABLE public.lines (id, price);
