CREATE TABLE contacts (id bigint PRIMARY KEY);
CREATE TABLE messages (contact_id bigint REFERENCES contacts);
