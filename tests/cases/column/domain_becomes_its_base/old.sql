CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE contacts (email email);
