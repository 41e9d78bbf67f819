CREATE TABLE contacts (id integer PRIMARY KEY, parent integer REFERENCES contacts);
CREATE TABLE messages (id integer PRIMARY KEY, contact_id integer REFERENCES contacts, UNIQUE (contact_id, id));
CREATE TABLE replies (contact_id integer, message_id integer, FOREIGN KEY (contact_id, message_id) REFERENCES messages (contact_id, id));
