CREATE TABLE events (
    kind text,
    bytes integer -- tenantry: was size
) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
