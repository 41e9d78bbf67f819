-- REVOKE on the table takes the column's rights too: these must be given again.
CREATE TABLE contacts (id integer, name text);
GRANT SELECT ON contacts TO app_reader;
GRANT SELECT (name) ON contacts TO app_reader;
