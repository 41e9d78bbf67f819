CREATE TABLE contacts (id integer, phone varchar(20));
