CREATE TABLE contacts (id integer, token uuid NOT NULL DEFAULT gen_random_uuid());
