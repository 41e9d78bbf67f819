CREATE TABLE contacts (place integer UNIQUE);
