CREATE DOMAIN amount AS integer CHECK (VALUE >= 0);
CREATE TABLE prices (id integer, amount amount NOT NULL DEFAULT 0, former amount[]);
