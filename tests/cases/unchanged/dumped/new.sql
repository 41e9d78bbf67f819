SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA app;
ALTER SCHEMA app OWNER TO postgres;

CREATE TYPE app.mood AS ENUM (
    'sad',
    'ok'
);
ALTER TYPE app.mood OWNER TO postgres;

SET default_tablespace = '';
SET default_table_access_method = heap;

CREATE TABLE public.contacts (
    id integer NOT NULL,
    mood app.mood DEFAULT 'ok'::app.mood,
    name character varying(20) NOT NULL
);
ALTER TABLE public.contacts OWNER TO postgres;

CREATE SEQUENCE public.contacts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE public.contacts_id_seq OWNER TO postgres;
ALTER SEQUENCE public.contacts_id_seq OWNED BY public.contacts.id;

ALTER TABLE ONLY public.contacts ALTER COLUMN id SET DEFAULT nextval('public.contacts_id_seq'::regclass);
ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (id);
CREATE INDEX contacts_name_idx ON public.contacts USING btree (name);
GRANT SELECT ON TABLE public.contacts TO app_reader;
