-- A logged table may not refer to an unlogged one: what refers to it goes first. So it is with one that becomes logged.
CREATE UNLOGGED TABLE parents (id integer PRIMARY KEY);
CREATE TABLE children (id integer PRIMARY KEY, parent integer);
CREATE UNLOGGED TABLE visits (id integer PRIMARY KEY);
CREATE TABLE pages (id integer PRIMARY KEY, visit integer);
