CREATE TABLE events (
    class text, -- tenantry: was kind
    size integer
) PARTITION BY LIST (class);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
