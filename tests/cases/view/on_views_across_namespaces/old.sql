CREATE SCHEMA api;
CREATE TABLE contacts (id integer, name text);
