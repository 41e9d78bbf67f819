CREATE TABLE events (
    kind text,
    bytes integer -- tenantry: was size
);
CREATE TABLE special (extra text) INHERITS (events);
CREATE INDEX special_size ON special (bytes);
