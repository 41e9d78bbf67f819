CREATE TABLE a (id integer PRIMARY KEY, old text);
CREATE TABLE a_b (id integer PRIMARY KEY, old text);
