CREATE TABLE public.messages (id bigint PRIMARY KEY, body text NOT NULL, state text NOT NULL);
ALTER TABLE public.messages REPLICA IDENTITY FULL;
CREATE PUBLICATION feed FOR TABLE public.messages WITH (publish = 'insert, update');
