CREATE TABLE contacts (bio text, size integer);
