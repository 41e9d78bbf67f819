CREATE TABLE contacts (first text, initial text);
