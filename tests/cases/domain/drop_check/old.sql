CREATE DOMAIN email AS text CONSTRAINT has_an_at CHECK (VALUE ~ '@');
