CREATE TABLE contacts (id integer);
CREATE TABLE users (id integer);
