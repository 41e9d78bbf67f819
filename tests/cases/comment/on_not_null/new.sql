CREATE TABLE contacts (id integer NOT NULL, name text NOT NULL, phone text NOT NULL, mail text, note text NOT NULL,
                       city text NOT NULL DEFAULT 'Bonn');
CREATE TABLE notes (body text NOT NULL);
COMMENT ON CONSTRAINT contacts_id_not_null ON contacts IS 'new on what stands';
COMMENT ON CONSTRAINT contacts_name_not_null ON contacts IS 'it''s changed';
COMMENT ON CONSTRAINT contacts_phone_not_null ON contacts IS 'new with its constraint';
COMMENT ON CONSTRAINT contacts_city_not_null ON contacts IS 'new with its column';
COMMENT ON CONSTRAINT notes_body_not_null ON notes IS 'new with its table';
