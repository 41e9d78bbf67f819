CREATE TYPE mood AS ENUM ('sad', 'happy', 'ok');
CREATE TABLE people (id integer, mood mood, CHECK (mood <> 'ok' OR id > 0));
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
CREATE POLICY fine ON people USING (mood = 'ok');
CREATE INDEX people_ok_idx ON people (id) WHERE mood = 'ok';
CREATE VIEW fine_people AS SELECT id FROM people WHERE mood = 'ok';
CREATE FUNCTION usual_mood() RETURNS mood LANGUAGE sql RETURN 'ok'::mood;
