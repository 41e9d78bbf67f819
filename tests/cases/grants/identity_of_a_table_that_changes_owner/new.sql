CREATE TABLE notes (id integer GENERATED ALWAYS AS IDENTITY);
ALTER TABLE notes OWNER TO app_owner;
GRANT USAGE ON SEQUENCE notes_id_seq TO app_reader;
REVOKE UPDATE ON SEQUENCE notes_id_seq FROM app_owner;
