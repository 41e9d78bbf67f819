CREATE TABLE contacts (user_id integer NOT NULL, name text);
