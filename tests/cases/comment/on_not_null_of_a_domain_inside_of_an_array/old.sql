CREATE DOMAIN amount AS integer CONSTRAINT known NOT NULL CHECK (VALUE > 0);
CREATE TABLE sums (a amount, b amount[]);
COMMENT ON CONSTRAINT known ON DOMAIN amount IS 'as it was';
