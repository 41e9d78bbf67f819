CREATE DOMAIN "e-mail" AS text DEFAULT '''; DROP TABLE users; --' CONSTRAINT "it's ""fine""" CHECK (VALUE <> '"' AND VALUE <> '\');
COMMENT ON CONSTRAINT "it's ""fine""" ON DOMAIN "e-mail" IS '$$';
