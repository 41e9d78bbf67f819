CREATE TABLE contacts (id integer PRIMARY KEY, phone text UNIQUE);
CREATE TABLE messages (contact_id integer REFERENCES contacts);
