CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL,
    at date NOT NULL,
    size integer GENERATED ALWAYS AS (length(code)) STORED,
    PRIMARY KEY (id, at),
    UNIQUE (code, at)
) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_before PARTITION OF events DEFAULT;
CREATE TABLE notes (
    id integer PRIMARY KEY,
    event bigint,
    event_at date,
    FOREIGN KEY (event, event_at) REFERENCES events
);
CREATE FUNCTION codes() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT code FROM events; END;
CREATE TABLE secrets (id integer PRIMARY KEY, event bigint);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_events ON secrets USING (event IN (SELECT id FROM events));
CREATE VIEW first_events AS SELECT min(id) AS id FROM events;
CREATE VIEW of_first AS SELECT id + 1 AS next FROM first_events;
CREATE STATISTICS event_statistics ON code, at FROM events;
CREATE MATERIALIZED VIEW counted AS SELECT at, count(*) AS n FROM events GROUP BY at;
