CREATE FUNCTION ok(v integer, w integer DEFAULT 0) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN v > w;
CREATE TABLE m (id integer, d boolean DEFAULT ok(1), CONSTRAINT m_ok CHECK (ok(id)));
CREATE VIEW w AS SELECT id, ok(id) AS fine FROM m;
ALTER TABLE m ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON m USING (ok(id));
CREATE INDEX m_i ON m (ok(id));
