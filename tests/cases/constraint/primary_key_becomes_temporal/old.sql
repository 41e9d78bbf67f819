CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id integer NOT NULL, open tsrange NOT NULL, PRIMARY KEY (id, open));
