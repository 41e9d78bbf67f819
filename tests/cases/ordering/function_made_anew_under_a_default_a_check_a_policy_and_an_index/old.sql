CREATE FUNCTION clean(name text) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
CREATE TABLE contacts (id integer, name text DEFAULT clean('X'), CONSTRAINT is_clean CHECK (name = clean(name)));
CREATE INDEX contacts_clean_idx ON contacts (clean(name));
CREATE POLICY is_clean ON contacts USING (name = clean(name));
CREATE VIEW clean_contacts AS SELECT clean(name)::text AS name FROM contacts;
