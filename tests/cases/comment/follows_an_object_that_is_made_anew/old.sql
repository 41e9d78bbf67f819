CREATE TABLE contacts (id integer, size integer CONSTRAINT small CHECK (size < 5));
COMMENT ON CONSTRAINT small ON contacts IS 'Not too big';
