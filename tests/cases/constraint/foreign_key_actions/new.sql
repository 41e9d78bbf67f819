CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE TABLE messages (contact_id integer REFERENCES contacts ON DELETE CASCADE ON UPDATE RESTRICT);
