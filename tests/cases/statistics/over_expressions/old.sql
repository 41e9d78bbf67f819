CREATE TABLE contacts (city text, zip text);
