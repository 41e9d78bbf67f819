CREATE TABLE contacts (id integer NOT NULL, name text NOT NULL, phone text, mail text NOT NULL, note text NOT NULL);
COMMENT ON CONSTRAINT contacts_name_not_null ON contacts IS 'everybody has a name';
COMMENT ON CONSTRAINT contacts_mail_not_null ON contacts IS 'gone with its constraint';
COMMENT ON CONSTRAINT contacts_note_not_null ON contacts IS 'gone alone';
