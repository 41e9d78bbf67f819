CREATE TABLE contacts (name text, tags text[]);
CREATE INDEX contacts_idx ON contacts (name) WITH (deduplicate_items = off);
CREATE INDEX contacts_tags_idx ON contacts USING gin (tags) WITH (fastupdate = off);
