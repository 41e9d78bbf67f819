CREATE TABLE contacts (id integer CONSTRAINT "Kept" NOT NULL, name text CONSTRAINT "Lost" NOT NULL,
                       phone text CONSTRAINT "Gained" NOT NULL, mail text CONSTRAINT "Changed" NOT NULL, note text);
ALTER TABLE contacts ADD CONSTRAINT "Anew" NOT NULL note NOT VALID;
COMMENT ON CONSTRAINT "Kept" ON contacts IS 'kept';
COMMENT ON CONSTRAINT "Gained" ON contacts IS 'gained';
COMMENT ON CONSTRAINT "Changed" ON contacts IS 'as it is';
COMMENT ON CONSTRAINT "Anew" ON contacts IS 'on what is no longer valid';
