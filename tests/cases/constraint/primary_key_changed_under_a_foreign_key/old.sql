CREATE TABLE contacts (id integer PRIMARY KEY, code text NOT NULL);
CREATE TABLE messages (contact_id integer REFERENCES contacts);
