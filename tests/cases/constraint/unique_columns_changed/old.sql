CREATE TABLE contacts (user_id integer, phone text, CONSTRAINT contacts_phone_key UNIQUE (phone));
