CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE TABLE events (id bigserial, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_old (id bigint NOT NULL DEFAULT 0, at timestamptz NOT NULL, user_id integer NOT NULL, PRIMARY KEY (id, at));
ALTER TABLE events ATTACH PARTITION events_old DEFAULT;
CREATE TABLE marks (id serial PRIMARY KEY, event_id bigint, event_at timestamptz, FOREIGN KEY (event_id, event_at) REFERENCES events ON DELETE CASCADE);
