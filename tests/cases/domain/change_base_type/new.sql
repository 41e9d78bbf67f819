CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE >= 0);
CREATE TABLE prices (id integer, amount amount NOT NULL DEFAULT 0);
CREATE VIEW dear AS SELECT id, amount FROM prices WHERE amount > 100;
