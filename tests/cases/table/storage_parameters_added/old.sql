CREATE TABLE contacts (id integer, bio text);
