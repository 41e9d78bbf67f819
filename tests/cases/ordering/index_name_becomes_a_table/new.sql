CREATE TABLE contacts (id integer);
CREATE TABLE things (id integer);
