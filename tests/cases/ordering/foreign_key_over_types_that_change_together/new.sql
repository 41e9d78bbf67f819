CREATE TABLE contacts (id bigint PRIMARY KEY, parent bigint REFERENCES contacts);
CREATE TABLE messages (id bigint PRIMARY KEY, contact_id bigint REFERENCES contacts, UNIQUE (contact_id, id));
CREATE TABLE replies (contact_id bigint, message_id bigint, FOREIGN KEY (contact_id, message_id) REFERENCES messages (contact_id, id));
