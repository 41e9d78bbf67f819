CREATE TABLE parent (id integer NOT NULL);
CREATE TABLE child () INHERITS (parent);
