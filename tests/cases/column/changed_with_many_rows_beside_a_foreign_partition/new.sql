CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER files FOREIGN DATA WRAPPER files;
CREATE TABLE events (
    id bigint NOT NULL,
    at date NOT NULL,
    size bigint,
    note text, -- tenantry: was said
    chance float8 DEFAULT random()
) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE FOREIGN TABLE events_0 PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2026-01-01') SERVER files;
