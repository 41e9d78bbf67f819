CREATE TABLE contacts (age integer);
