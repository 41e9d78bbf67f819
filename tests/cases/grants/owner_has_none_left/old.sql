CREATE SCHEMA archive;
CREATE TABLE contacts (id integer);
CREATE SEQUENCE numbers;
CREATE TABLE readable (id integer);
GRANT SELECT ON readable TO PUBLIC;
