CREATE TABLE public.flags (id bigint PRIMARY KEY, set_by bit(5), cleared_by bit varying(8));
