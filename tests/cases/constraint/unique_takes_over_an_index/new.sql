CREATE TABLE contacts (phone text, CONSTRAINT contacts_phone_key UNIQUE (phone));
