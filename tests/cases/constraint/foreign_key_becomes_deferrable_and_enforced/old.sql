CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE TABLE messages (contact_id integer, CONSTRAINT contact FOREIGN KEY (contact_id) REFERENCES contacts NOT ENFORCED);
