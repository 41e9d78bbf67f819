CREATE TABLE contacts (bio text);
