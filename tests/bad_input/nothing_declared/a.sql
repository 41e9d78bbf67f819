-- Everything is commented out:
-- CREATE TABLE contacts (id int);
SET statement_timeout = 0;
