CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE TABLE messages (contact_id integer REFERENCES contacts NOT ENFORCED);
CREATE TABLE orders (contact_id integer REFERENCES contacts NOT ENFORCED);
