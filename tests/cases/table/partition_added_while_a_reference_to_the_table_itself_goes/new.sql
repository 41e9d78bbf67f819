CREATE TABLE public.message (id integer NOT NULL PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE public.message_0 PARTITION OF public.message FOR VALUES FROM (0) TO (100);
CREATE TABLE public.message_1 PARTITION OF public.message FOR VALUES FROM (100) TO (200);
