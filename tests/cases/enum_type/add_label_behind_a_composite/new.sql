-- Its undo takes the label away again.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a mood, b integer);
CREATE TYPE nested AS (p pair, c text);
CREATE TABLE people (
    id integer PRIMARY KEY,
    feels pair NOT NULL DEFAULT ROW('ok', 1)::pair,
    felt pair[],
    says nested,
    CHECK ((feels).b > 0)
);
CREATE INDEX ON people (((feels).a));
CREATE VIEW moods AS SELECT id, (feels).a AS mood FROM people;
CREATE TABLE events (kind integer, of pair) PARTITION BY LIST (kind);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
