CREATE TABLE contacts (name text, data jsonb);
CREATE INDEX contacts_idx ON contacts (name);
CREATE INDEX contacts_data_idx ON contacts USING gin (data);
