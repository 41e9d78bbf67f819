CREATE TABLE contacts (id text PRIMARY KEY);
CREATE TABLE messages (contact_id text REFERENCES contacts);
