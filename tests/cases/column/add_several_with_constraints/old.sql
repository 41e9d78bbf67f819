CREATE TABLE users (id integer PRIMARY KEY);
CREATE TABLE contacts (id integer);
