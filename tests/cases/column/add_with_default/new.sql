CREATE TABLE contacts (id integer, tags text[] NOT NULL DEFAULT '{}');
