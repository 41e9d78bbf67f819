CREATE TABLE contacts (name text, code text COLLATE "C");
CREATE INDEX a ON contacts (lower(name), lower(code));
CREATE INDEX b ON contacts (name) WHERE name IN ('a', 'b');
CREATE INDEX c ON contacts USING btree (name ASC NULLS LAST);
