CREATE TABLE public.readings (id bigint NOT NULL, year integer NOT NULL) PARTITION BY LIST (year);
CREATE TABLE public.readings_2024 PARTITION OF public.readings FOR VALUES IN (2024);
