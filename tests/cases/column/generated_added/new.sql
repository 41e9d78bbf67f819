CREATE TABLE contacts (first text, last text, name text GENERATED ALWAYS AS (first || ' ' || last) STORED);
