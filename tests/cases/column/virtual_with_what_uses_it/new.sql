CREATE TABLE contacts (first text, initial text GENERATED ALWAYS AS (left(first, 1)) VIRTUAL CONSTRAINT has_one NOT NULL,
                       CONSTRAINT short CHECK (length(initial) <= 1));
CREATE VIEW initials AS SELECT initial FROM contacts;
COMMENT ON COLUMN contacts.initial IS 'computed when read';
