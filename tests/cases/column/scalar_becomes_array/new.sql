CREATE TABLE contacts (tags text[]);
