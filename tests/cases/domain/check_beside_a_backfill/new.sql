CREATE DOMAIN email AS text CONSTRAINT has_an_at CHECK (VALUE ~ '@');
CREATE TABLE users (id integer PRIMARY KEY, email email NOT NULL);
