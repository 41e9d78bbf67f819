CREATE TABLE contacts (id int, name text);
CREATE TYPE mood AS ENUM ('glad', 'sad');
