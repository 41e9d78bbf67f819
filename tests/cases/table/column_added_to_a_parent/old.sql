CREATE TABLE things (id integer);
CREATE TABLE marked (mark text);
CREATE TABLE tools (weight integer) INHERITS (things, marked);
