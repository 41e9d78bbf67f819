CREATE TABLE public.flags (id bigint PRIMARY KEY, set_by bit(3), cleared_by bit(3));
