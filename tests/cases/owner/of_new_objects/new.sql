CREATE TYPE mood AS ENUM ('ok');
ALTER TYPE mood OWNER TO "Odd Role";
CREATE TABLE contacts (id integer GENERATED ALWAYS AS IDENTITY, mood mood);
ALTER TABLE contacts OWNER TO "Odd Role";
CREATE VIEW ids AS SELECT id FROM contacts;
ALTER VIEW ids OWNER TO "Odd Role";
