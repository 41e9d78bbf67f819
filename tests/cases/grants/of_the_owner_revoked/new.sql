CREATE TABLE contacts (id integer);
REVOKE DELETE, TRUNCATE ON contacts FROM postgres;
