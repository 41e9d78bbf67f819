CREATE DOMAIN "e-mail" AS text CONSTRAINT "it's ""fine""" CHECK (VALUE <> '''');
