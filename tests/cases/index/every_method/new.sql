CREATE TABLE contacts (name text, tags text[], place point, at timestamptz);
CREATE INDEX contacts_btree ON contacts USING btree (name);
CREATE INDEX contacts_hash ON contacts USING hash (name);
CREATE INDEX contacts_gin ON contacts USING gin (tags);
CREATE INDEX contacts_gist ON contacts USING gist (place);
CREATE INDEX contacts_spgist ON contacts USING spgist (place);
CREATE INDEX contacts_brin ON contacts USING brin (at) WITH (pages_per_range = 32);
