CREATE TABLE public.messages (id bigint PRIMARY KEY, body text NOT NULL, state text NOT NULL);
CREATE PUBLICATION feed FOR TABLE public.messages (id) WHERE (id > 3) WITH (publish = 'insert');
