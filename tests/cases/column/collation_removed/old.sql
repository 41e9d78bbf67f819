CREATE TABLE contacts (name text COLLATE "POSIX");
