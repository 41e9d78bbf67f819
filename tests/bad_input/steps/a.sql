CREATE TABLE contacts (id int, name text);
DROP TABLE old_contacts;
ALTER TABLE contacts
    ALTER COLUMN name SET NOT NULL,
    DROP COLUMN age,
    ADD COLUMN phone text,
    ALTER COLUMN id TYPE bigint;
ALTER TABLE contacts RENAME COLUMN name TO full_name;
ALTER TYPE mood ADD VALUE 'glad';
CREATE TABLE copied AS SELECT * FROM contacts;
CREATE TEMPORARY TABLE scratch (id int);
DO $$ BEGIN EXECUTE 'CREATE TABLE hidden (id int)'; END $$;
BEGIN;
