CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE TABLE messages (contact_id integer);
