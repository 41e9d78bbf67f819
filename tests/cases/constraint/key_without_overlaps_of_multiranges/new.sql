CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id integer, open datemultirange, CONSTRAINT "One at a time" UNIQUE (id, open WITHOUT OVERLAPS) DEFERRABLE);
