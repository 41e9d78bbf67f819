COMMENT ON TABLE contacts IS 'persons';
ALTER TABLE contacts ALTER COLUMN name SET DEFAULT 'b';
ALTER FUNCTION f(integer) OWNER TO two;
