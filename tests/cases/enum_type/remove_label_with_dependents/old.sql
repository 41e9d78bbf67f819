CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
GRANT USAGE ON TYPE mood TO app_reader;
COMMENT ON TYPE mood IS 'How one feels';
CREATE TABLE people (id integer PRIMARY KEY, mood mood NOT NULL DEFAULT 'sad', past mood[], CHECK (mood <> 'sad' OR id > 0));
CREATE INDEX people_mood_idx ON people (mood) WHERE mood = 'happy';
CREATE VIEW happy_people AS SELECT id, mood FROM people WHERE mood = 'happy';
GRANT SELECT ON happy_people TO app_reader;
CREATE FUNCTION is_happy(mood) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 = 'happy' $$;
