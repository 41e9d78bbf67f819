CREATE TABLE z (n integer);
CREATE TABLE y (n integer) INHERITS (z);
CREATE TABLE x (n integer) INHERITS (y, z);
