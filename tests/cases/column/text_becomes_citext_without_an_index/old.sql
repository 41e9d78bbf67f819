-- The same bytes, compared in another way: no row is written, and none read where no index stands on it.
CREATE EXTENSION citext SCHEMA public;
CREATE TABLE public.contact (id integer PRIMARY KEY, email text NOT NULL);
