-- Is this a rename? Nobody but the author can know.
CREATE TABLE contacts (id integer, phone text);
