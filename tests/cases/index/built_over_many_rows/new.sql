CREATE TABLE public.messages (
    id bigint PRIMARY KEY, external_id uuid NOT NULL CONSTRAINT messages_external_id_key UNIQUE, sent_at timestamptz,
    body tsvector
);
CREATE TABLE public.contacts (id bigint PRIMARY KEY, name text);

CREATE INDEX messages_sent_at_idx ON public.messages (sent_at);
-- Neither is written at its end.
CREATE INDEX messages_body_idx ON public.messages USING gin (body);
CREATE INDEX messages_sent_at_range_idx ON public.messages USING brin (sent_at);
-- And this one is small.
CREATE INDEX contacts_name_idx ON public.contacts (name);
