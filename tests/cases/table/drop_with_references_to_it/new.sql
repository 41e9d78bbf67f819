CREATE TABLE messages (id integer PRIMARY KEY, contact_id integer, body text);
