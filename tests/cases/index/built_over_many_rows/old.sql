CREATE TABLE public.messages (id bigint PRIMARY KEY, external_id uuid NOT NULL, sent_at timestamptz, body tsvector);
CREATE TABLE public.contacts (id bigint PRIMARY KEY, name text);
