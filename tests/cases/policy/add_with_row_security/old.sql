-- The policy must be there before row security hides every row.
CREATE TABLE contacts (id integer, user_id integer);
GRANT SELECT ON contacts TO app_reader;
