CREATE TABLE contacts (first text, last text);
