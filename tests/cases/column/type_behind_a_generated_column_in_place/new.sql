CREATE TABLE public.lines (id bigint PRIMARY KEY, price bigint, doubled bigint GENERATED ALWAYS AS (price * 2) STORED);
