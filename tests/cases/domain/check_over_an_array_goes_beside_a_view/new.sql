CREATE DOMAIN short AS text;
CREATE TABLE notes (id integer PRIMARY KEY, tags short[], author text);
