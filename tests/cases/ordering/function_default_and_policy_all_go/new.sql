CREATE TABLE contacts (id integer, user_id integer);
