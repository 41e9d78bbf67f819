CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE TABLE messages (id integer PRIMARY KEY, contact_id integer REFERENCES contacts, body text);
