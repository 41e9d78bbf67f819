CREATE TABLE contacts (id integer NOT NULL, user_id integer NOT NULL, PRIMARY KEY (user_id, id));
