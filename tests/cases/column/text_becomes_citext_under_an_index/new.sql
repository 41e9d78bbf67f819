CREATE EXTENSION citext SCHEMA public;
CREATE TABLE public.contact (id integer PRIMARY KEY, email public.citext NOT NULL UNIQUE);
