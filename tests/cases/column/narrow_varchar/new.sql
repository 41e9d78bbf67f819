CREATE TABLE contacts (name varchar(20));
