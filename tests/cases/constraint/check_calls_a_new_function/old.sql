CREATE TABLE contacts (phone text);
