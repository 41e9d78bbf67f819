CREATE TABLE contacts (name text, tags text[]);
CREATE INDEX contacts_idx ON contacts (name) WITH (fillfactor = 70);
CREATE INDEX contacts_tags_idx ON contacts USING gin (tags);
