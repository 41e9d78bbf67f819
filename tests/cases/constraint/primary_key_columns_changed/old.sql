CREATE TABLE contacts (id integer PRIMARY KEY, user_id integer NOT NULL);
