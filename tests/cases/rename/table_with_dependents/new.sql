CREATE TABLE contacts ( -- tenantry: was people
    id integer CONSTRAINT people_pkey PRIMARY KEY,
    name text
);
CREATE TABLE messages (person_id integer CONSTRAINT person REFERENCES contacts);
CREATE VIEW names AS SELECT name FROM contacts;
CREATE POLICY everyone ON contacts USING (id > 0);
CREATE FUNCTION count_people() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM contacts $$;
GRANT SELECT ON contacts TO app_reader;
COMMENT ON TABLE contacts IS 'Those we know';
