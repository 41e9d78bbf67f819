CREATE TABLE public.kept (id bigint PRIMARY KEY);
CREATE TABLE public.keyless (body text NOT NULL);
CREATE TABLE public.keyed (id bigint PRIMARY KEY);
CREATE PUBLICATION feed FOR ALL TABLES;
