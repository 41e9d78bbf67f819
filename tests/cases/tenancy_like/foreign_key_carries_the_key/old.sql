CREATE TABLE contacts (user_id integer NOT NULL, id integer PRIMARY KEY, UNIQUE (user_id, id));
CREATE TABLE messages (user_id integer NOT NULL, id integer PRIMARY KEY,
    contact_id integer NOT NULL REFERENCES contacts ON DELETE CASCADE);
