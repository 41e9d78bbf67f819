CREATE DOMAIN phone AS text CONSTRAINT phone_check CHECK (length(VALUE) > 0);
CREATE TABLE contacts (id integer PRIMARY KEY, phone phone);
