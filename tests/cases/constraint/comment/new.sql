CREATE TABLE contacts (id integer PRIMARY KEY, age integer CONSTRAINT adult CHECK (age >= 18));
COMMENT ON CONSTRAINT adult ON contacts IS 'By law';
COMMENT ON CONSTRAINT contacts_pkey ON contacts IS 'The key';
