CREATE TABLE contacts (id integer CONSTRAINT kept NOT NULL, name text CONSTRAINT lost NOT NULL,
                       phone text CONSTRAINT gained NOT NULL, mail text CONSTRAINT changed NOT NULL,
                       note text CONSTRAINT anew NOT NULL);
COMMENT ON CONSTRAINT kept ON contacts IS 'kept';
COMMENT ON CONSTRAINT lost ON contacts IS 'lost';
COMMENT ON CONSTRAINT changed ON contacts IS 'as it was';
COMMENT ON CONSTRAINT anew ON contacts IS 'on what is no longer valid';
