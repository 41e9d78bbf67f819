CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE TABLE messages (contact_id integer);
ALTER TABLE messages ADD CONSTRAINT contact FOREIGN KEY (contact_id) REFERENCES contacts NOT VALID;
