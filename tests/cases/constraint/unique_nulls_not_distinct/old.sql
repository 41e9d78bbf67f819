CREATE TABLE contacts (phone text UNIQUE);
