CREATE SCHEMA archive;
REVOKE ALL ON SCHEMA archive FROM postgres;
CREATE TABLE contacts (id integer);
REVOKE ALL ON contacts FROM postgres;
CREATE SEQUENCE numbers;
REVOKE ALL ON SEQUENCE numbers FROM postgres;
CREATE TABLE readable (id integer);
REVOKE ALL ON readable FROM postgres;
