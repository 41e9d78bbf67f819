CREATE TABLE public.lines (id bigint PRIMARY KEY, price integer);
CREATE PUBLICATION feed FOR TABLE public.lines (id, price);
