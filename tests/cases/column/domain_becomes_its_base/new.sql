CREATE TABLE contacts (email text);
