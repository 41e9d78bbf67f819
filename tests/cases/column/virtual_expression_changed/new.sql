CREATE TABLE contacts (first text, initial text GENERATED ALWAYS AS (upper(left(first, 1))) VIRTUAL);
