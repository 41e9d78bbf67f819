CREATE TABLE contacts (user_id integer NOT NULL, id integer PRIMARY KEY, UNIQUE (user_id, id));
CREATE TABLE messages (user_id integer NOT NULL, id integer PRIMARY KEY, contact_id integer NOT NULL,
    FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id) ON DELETE CASCADE);
