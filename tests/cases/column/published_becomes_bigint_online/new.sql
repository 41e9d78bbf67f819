CREATE TABLE public.lines (id bigint PRIMARY KEY, price bigint);
CREATE PUBLICATION feed FOR TABLE public.lines;
CREATE TABLE public.notes (id bigint PRIMARY KEY, words integer, number bigint);
CREATE PUBLICATION notes FOR TABLE public.notes (id, words);
