-- The same columns under another name: only the author knows whether the rows shall come along.
CREATE TABLE people (id integer PRIMARY KEY, name text, born_on date);
