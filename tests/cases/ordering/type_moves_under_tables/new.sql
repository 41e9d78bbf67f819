CREATE SCHEMA types;
CREATE TYPE types.mood AS ENUM ('ok', 'fine');
CREATE TABLE people (id integer, mood types.mood);
