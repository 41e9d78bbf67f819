CREATE TABLE public.message (
    id integer NOT NULL PRIMARY KEY,
    answers integer REFERENCES public.message (id)
) PARTITION BY RANGE (id);
CREATE TABLE public.message_0 PARTITION OF public.message FOR VALUES FROM (0) TO (100);
