CREATE TABLE things (id integer, size integer);
CREATE TABLE tools (weight integer) INHERITS (things);
CREATE VIEW sizes AS SELECT size FROM tools;
