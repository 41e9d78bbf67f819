CREATE TABLE contacts (bio text COMPRESSION lz4, notes text, more text COMPRESSION pglz);
