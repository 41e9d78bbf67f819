CREATE TABLE z (n integer NOT NULL);
CREATE TABLE y (n integer NOT NULL) INHERITS (z);
CREATE TABLE x (n integer NOT NULL) INHERITS (y, z);
