CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE TABLE phones (contact_id integer REFERENCES contacts, phone text NOT NULL);
