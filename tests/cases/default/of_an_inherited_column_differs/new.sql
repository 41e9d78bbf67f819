CREATE TABLE documents (id integer NOT NULL, state text DEFAULT 'draft');

CREATE TABLE letters (sent_at timestamptz) INHERITS (documents);
ALTER TABLE letters ALTER COLUMN state SET DEFAULT 'sent';
ALTER TABLE letters ALTER COLUMN id SET DEFAULT 0;
