CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id integer, open datemultirange);
