CREATE TABLE contacts (phone text);
CREATE UNIQUE INDEX contacts_phone_idx ON contacts (phone) INCLUDE (phone);
CREATE TABLE messages (phone text REFERENCES contacts (phone));
