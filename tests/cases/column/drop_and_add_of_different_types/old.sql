CREATE TABLE contacts (id integer, fax text);
