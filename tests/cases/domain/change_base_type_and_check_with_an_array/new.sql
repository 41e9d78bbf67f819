CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE >= 0) CONSTRAINT below_a_million CHECK (VALUE < 1000000);
CREATE TABLE prices (id integer, amount amount NOT NULL DEFAULT 0, former amount[]);
