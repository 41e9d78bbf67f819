CREATE TABLE contacts (first text, last text, name text GENERATED ALWAYS AS (last || ', ' || first) STORED);
CREATE INDEX contacts_name_idx ON contacts (name);
