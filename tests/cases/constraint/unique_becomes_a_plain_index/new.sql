CREATE TABLE contacts (phone text);
CREATE UNIQUE INDEX contacts_phone_key ON contacts (phone);
