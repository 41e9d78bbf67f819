CREATE TABLE contacts (id integer UNIQUE NOT NULL, code text PRIMARY KEY);
CREATE TABLE messages (contact_id integer REFERENCES contacts (id));
