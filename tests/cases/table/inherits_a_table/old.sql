CREATE TABLE things (id integer);
CREATE TABLE tools (id integer, weight integer);
