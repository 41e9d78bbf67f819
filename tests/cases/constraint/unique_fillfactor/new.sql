CREATE TABLE contacts (phone text UNIQUE WITH (fillfactor = 60));
