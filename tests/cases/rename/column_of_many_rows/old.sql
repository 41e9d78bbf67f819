CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL);
CREATE INDEX contacts_phone ON contacts (phone);
