CREATE DOMAIN mood AS text CHECK (VALUE IN ('sad', 'happy', 'so-so'));
CREATE TABLE people (id integer, mood mood NOT NULL DEFAULT 'so-so') PARTITION BY HASH (id);
CREATE TABLE people_0 PARTITION OF people FOR VALUES WITH (MODULUS 1, REMAINDER 0);
