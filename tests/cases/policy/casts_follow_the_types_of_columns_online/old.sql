CREATE TABLE people (id integer PRIMARY KEY, mail text NOT NULL);
CREATE TABLE posts (id integer PRIMARY KEY, person_id integer NOT NULL REFERENCES people);
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON people TO authenticated
    USING (id = nullif(current_setting('app.id', true), '')::integer AND mail <> '');
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON posts TO authenticated
    USING (person_id = nullif(current_setting('app.id', true), '')::integer)
    WITH CHECK (EXISTS (SELECT FROM people p WHERE p.id = posts.person_id AND p.mail <> ''));
CREATE POLICY first ON posts TO app_reader USING (id = 1 AND person_id = 1);
INSERT INTO people VALUES (1, 'ann@x'), (2, 'bob@x');
INSERT INTO posts VALUES (1, 1), (2, 2);
