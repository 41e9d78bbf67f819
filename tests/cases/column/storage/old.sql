CREATE TABLE contacts (bio text, photo bytea);
