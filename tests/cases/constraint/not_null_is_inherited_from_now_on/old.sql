CREATE TABLE parent (id integer NOT NULL NO INHERIT);
CREATE TABLE child () INHERITS (parent);
