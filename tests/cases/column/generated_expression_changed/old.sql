-- The expression of a generated column can only be set when the column is made (before version 17).
CREATE TABLE contacts (first text, last text, name text GENERATED ALWAYS AS (first || ' ' || last) STORED);
CREATE INDEX contacts_name_idx ON contacts (name);
