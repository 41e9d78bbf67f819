CREATE TABLE people (mail text NOT NULL, id bigint PRIMARY KEY);
CREATE TABLE posts (id bigint PRIMARY KEY, person_id bigint NOT NULL REFERENCES people);
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON people TO authenticated
    USING (id = nullif(current_setting('app.id', true), '')::bigint AND mail <> '');
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON posts TO authenticated
    USING (person_id = nullif(current_setting('app.id', true), '')::bigint)
    WITH CHECK (EXISTS (SELECT FROM people p WHERE p.id = posts.person_id AND p.mail <> ''));
-- This one lets more through.
CREATE POLICY first ON posts TO app_reader USING (person_id = 1);
