CREATE TABLE contacts (first text, initial text GENERATED ALWAYS AS (left(first, 1)));
