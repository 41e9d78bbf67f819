CREATE TABLE contacts (id integer, data jsonb);
