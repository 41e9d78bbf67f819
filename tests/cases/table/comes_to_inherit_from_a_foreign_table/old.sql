CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER files FOREIGN DATA WRAPPER files;
CREATE FOREIGN TABLE far (id integer NOT NULL, note text) SERVER files;
CREATE TABLE near (id integer NOT NULL, note text, own integer);
CREATE TABLE parting (own integer) INHERITS (far);
