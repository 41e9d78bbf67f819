CREATE TABLE public.other (id integer);
CREATE TABLE public.message (id integer NOT NULL PRIMARY KEY, answers integer, c4 smallint) PARTITION BY HASH (id);
CREATE TABLE public.message_0 PARTITION OF public.message FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE INDEX message_0_own ON public.message_0 (id DESC);
CREATE TABLE public.message_1 PARTITION OF public.message FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE public.message ADD CONSTRAINT message_r FOREIGN KEY (answers) REFERENCES public.message (id);
ALTER TABLE public.message ADD CONSTRAINT message_unique UNIQUE (id);
CREATE INDEX message_i ON public.message (c4);
