CREATE TABLE events (kind text, size integer) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events (CONSTRAINT small CHECK (size < 10)) FOR VALUES IN ('a');
ALTER TABLE ONLY events_a ALTER COLUMN size SET DEFAULT 5, ALTER COLUMN size SET NOT NULL;
CREATE INDEX events_a_size_idx ON events_a (size);
COMMENT ON TABLE events_a IS 'The small ones';
GRANT SELECT ON events_a TO app_reader;
ALTER TABLE events_a ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON events_a USING (size < 5);
