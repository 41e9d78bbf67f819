CREATE SCHEMA types;
CREATE TYPE mood AS ENUM ('ok');
CREATE TABLE people (id integer, mood mood);
