CREATE TABLE accounts (id integer, tenant integer NOT NULL, mail text NOT NULL);
CREATE UNIQUE INDEX accounts_mail ON accounts (mail);
COMMENT ON INDEX accounts_mail IS 'one account';
CREATE TABLE notes (id integer NOT NULL, body text);
CREATE UNIQUE INDEX notes_one ON notes (id);
ALTER TABLE notes REPLICA IDENTITY USING INDEX notes_one;
ALTER TABLE notes CLUSTER ON notes_one;
CREATE TABLE marks (id integer, n integer);
CREATE INDEX marks_n ON marks USING hash (n);
