CREATE TABLE public.message (
    id integer NOT NULL,
    stage varchar(40) CONSTRAINT stage_is_told CHECK (stage <> '')
) PARTITION BY RANGE (id);
CREATE TABLE public.message_0 PARTITION OF public.message FOR VALUES FROM (0) TO (1000);
CREATE TABLE public.message_rest PARTITION OF public.message DEFAULT;
