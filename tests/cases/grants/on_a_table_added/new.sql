CREATE TABLE contacts (id integer);
GRANT SELECT ON contacts TO app_reader, "Odd Role";
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON contacts TO app_writer;
