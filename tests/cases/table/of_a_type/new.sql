CREATE TYPE address AS (street text, city text);
CREATE TABLE addresses OF address (city WITH OPTIONS NOT NULL DEFAULT 'Graz', CHECK (street <> ''));
