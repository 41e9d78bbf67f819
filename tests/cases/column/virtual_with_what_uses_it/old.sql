CREATE TABLE contacts (first text);
