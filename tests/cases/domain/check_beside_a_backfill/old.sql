CREATE DOMAIN email AS text;
CREATE TABLE users (id integer PRIMARY KEY, email email);
