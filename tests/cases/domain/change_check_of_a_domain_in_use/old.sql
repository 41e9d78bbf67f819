CREATE DOMAIN phone AS text CONSTRAINT phone_check CHECK (VALUE <> '');
CREATE TABLE contacts (id integer PRIMARY KEY, phone phone);
