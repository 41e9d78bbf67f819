CREATE TABLE public.keyless (body text NOT NULL);
CREATE TABLE public.loses_its_key (id bigint CONSTRAINT loses_its_key_pkey PRIMARY KEY, body text NOT NULL);
CREATE TABLE public.by_another_column (id bigint PRIMARY KEY, state text NOT NULL);
CREATE TABLE public.without_its_key (id bigint PRIMARY KEY, state text NOT NULL);
CREATE TABLE public.whole_rows (id bigint PRIMARY KEY, state text NOT NULL);
CREATE TABLE public.inserted_only (body text NOT NULL);
CREATE PUBLICATION feed FOR TABLE public.loses_its_key, public.by_another_column, public.without_its_key, public.whole_rows (id);
