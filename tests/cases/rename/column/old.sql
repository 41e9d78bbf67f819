CREATE TABLE contacts (id integer, phone text NOT NULL DEFAULT '');
