CREATE TABLE contacts (phone_number text NOT NULL);
