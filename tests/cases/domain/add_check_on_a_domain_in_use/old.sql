CREATE DOMAIN email AS text;
CREATE TABLE users (id integer, email email);
