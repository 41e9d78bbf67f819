CREATE DOMAIN email AS text;
ALTER DOMAIN email ADD CONSTRAINT has_an_at CHECK (VALUE ~ '@') NOT VALID;
CREATE TABLE users (email email);
