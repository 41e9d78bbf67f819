CREATE TABLE people (id integer PRIMARY KEY, name text);
CREATE TABLE messages (person_id integer CONSTRAINT person REFERENCES people);
CREATE VIEW names AS SELECT name FROM people;
CREATE POLICY everyone ON people USING (id > 0);
CREATE FUNCTION count_people() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM people $$;
GRANT SELECT ON people TO app_reader;
COMMENT ON TABLE people IS 'Those we know';
