-- What one partition has by itself comes, changes and goes; the parent has none of it.
CREATE TABLE events (kind integer, note text, size integer) PARTITION BY LIST (kind);
CREATE TABLE comes PARTITION OF events (note DEFAULT 'y', CHECK (size > 0)) FOR VALUES IN (1) WITH (fillfactor = 50);
ALTER TABLE comes ALTER COLUMN note SET STORAGE EXTERNAL, ALTER COLUMN note SET STATISTICS 5;
ALTER TABLE comes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, REPLICA IDENTITY FULL;
CREATE POLICY shown ON comes TO anon USING (size > 1);
COMMENT ON TABLE comes IS 'Some';
GRANT SELECT (note), UPDATE (size) ON comes TO app_reader;
GRANT INSERT ON comes TO app_writer;
CREATE TABLE changes PARTITION OF events (note DEFAULT 'z') FOR VALUES IN (2) WITH (fillfactor = 60);
ALTER TABLE changes ALTER COLUMN note SET STORAGE MAIN;
ALTER TABLE changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON changes TO anon, authenticated USING (size > 2);
COMMENT ON COLUMN changes.note IS 'Another';
GRANT SELECT (size) ON changes TO app_reader;
