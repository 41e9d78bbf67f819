CREATE TABLE readings (
    at date NOT NULL,
    value integer,
    ref uuid DEFAULT gen_random_uuid() NOT NULL,
    n bigserial,
    unit text NOT NULL DEFAULT 'l'
) PARTITION BY RANGE (at);
CREATE TABLE readings_2024 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
