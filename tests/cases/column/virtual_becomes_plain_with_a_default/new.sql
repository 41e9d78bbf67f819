CREATE TABLE contacts (first text, initial text DEFAULT 'x' NOT NULL);
