-- What an interrupted CREATE INDEX CONCURRENTLY leaves behind.
CREATE TABLE contacts (name text);
CREATE INDEX contacts_idx ON contacts (name);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'contacts_idx'::regclass;
