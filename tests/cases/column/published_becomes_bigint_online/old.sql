CREATE TABLE public.lines (id integer PRIMARY KEY, price integer);
CREATE PUBLICATION feed FOR TABLE public.lines;
CREATE TABLE public.notes (id bigint PRIMARY KEY, words integer, number integer);
CREATE PUBLICATION notes FOR TABLE public.notes (id, words);
