SET statement_timeout = 0;
SET standard_conforming_strings = off;
SET datestyle = 'German, DMY';
SET ROLE admin;
SET client_encoding = 'LATIN1';
SET default_tablespace = fast;
CREATE TABLE a (id int);
