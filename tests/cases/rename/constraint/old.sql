CREATE TABLE contacts (id integer, CONSTRAINT positive CHECK (id > 0), CONSTRAINT once UNIQUE (id));
