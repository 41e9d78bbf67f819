CREATE TABLE contacts (id integer, name text);
CREATE TABLE "Contacts" (id integer, name text);
