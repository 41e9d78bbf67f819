CREATE TABLE contacts (id integer, user_id integer NOT NULL DEFAULT 1, CONSTRAINT contacts_key UNIQUE (id));
INSERT INTO contacts VALUES (1), (2);
