CREATE TABLE contacts (city text, zip text);
CREATE STATISTICS ON city, zip FROM contacts;
