CREATE TABLE events (name text NOT NULL, at timestamptz NOT NULL);
