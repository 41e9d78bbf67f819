CREATE TABLE contacts (name text, code text COLLATE "C");
CREATE INDEX a ON contacts USING btree ((lower(name)), lower(code) COLLATE "C");
CREATE INDEX b ON contacts (name text_ops) WHERE name = ANY (ARRAY['a', 'b']);
CREATE INDEX c ON contacts (name COLLATE "default");
