CREATE TABLE contacts (id integer);
CREATE INDEX idx1 ON contacts (id);
COMMENT ON INDEX idx1 IS 'By number';
