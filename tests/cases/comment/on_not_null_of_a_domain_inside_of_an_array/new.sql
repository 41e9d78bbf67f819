CREATE DOMAIN amount AS bigint CONSTRAINT never_null NOT NULL CHECK (VALUE > 0);
CREATE TABLE sums (a amount, b amount[]);
COMMENT ON CONSTRAINT never_null ON DOMAIN amount IS 'as it is';
