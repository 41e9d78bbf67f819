CREATE TABLE z (n integer);
CREATE TABLE y (n integer) INHERITS (z);
CREATE TABLE b (n integer);
CREATE TABLE x () INHERITS (y, b);
