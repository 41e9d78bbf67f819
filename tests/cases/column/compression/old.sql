CREATE TABLE contacts (bio text COMPRESSION pglz, notes text COMPRESSION pglz, more text);
