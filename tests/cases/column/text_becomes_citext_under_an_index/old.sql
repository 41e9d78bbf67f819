CREATE EXTENSION citext SCHEMA public;
CREATE TABLE public.contact (id integer PRIMARY KEY, email text NOT NULL UNIQUE);
