CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    at date NOT NULL,
    size integer GENERATED ALWAYS AS (length(code)) STORED
);
CREATE TABLE notes (
    id integer PRIMARY KEY,
    event bigint REFERENCES events,
    event_at date
);
CREATE FUNCTION codes() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT code FROM events; END;
CREATE TABLE secrets (id integer PRIMARY KEY, event bigint);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_events ON secrets USING (event IN (SELECT id FROM events));
CREATE VIEW first_events AS SELECT min(id) AS id FROM events;
CREATE VIEW of_first AS SELECT id + 1 AS next FROM first_events;
CREATE STATISTICS event_statistics ON code, at FROM events;
CREATE MATERIALIZED VIEW counted AS SELECT at, count(*) AS n FROM events GROUP BY at;
