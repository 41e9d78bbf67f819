CREATE TABLE public.readings (at date NOT NULL, id bigint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE public.readings_2024 PARTITION OF public.readings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
