CREATE TABLE public.keyless (body text NOT NULL);
CREATE TABLE public.loses_its_key (id bigint NOT NULL, body text NOT NULL);
CREATE TABLE public.by_another_column (id bigint PRIMARY KEY, state text NOT NULL);
CREATE TABLE public.without_its_key (id bigint PRIMARY KEY, state text NOT NULL);
CREATE TABLE public.whole_rows (id bigint PRIMARY KEY, state text NOT NULL);
ALTER TABLE public.whole_rows REPLICA IDENTITY FULL;
CREATE TABLE public.inserted_only (body text NOT NULL);
CREATE PUBLICATION feed FOR TABLE public.loses_its_key, public.keyless, public.by_another_column WHERE (state = 'sent'),
    public.without_its_key (state), public.whole_rows (id);
CREATE PUBLICATION inserts FOR TABLE public.inserted_only WITH (publish = 'insert');
