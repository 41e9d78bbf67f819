CREATE TABLE contacts (id integer PRIMARY KEY, age integer DEFAULT 1 CHECK (age > 0), double_age integer GENERATED ALWAYS AS (age * 2) STORED);
CREATE INDEX contacts_age_idx ON contacts ((age + 1)) WHERE age > 18;
CREATE VIEW adults AS SELECT id, age FROM contacts WHERE age > 18;
