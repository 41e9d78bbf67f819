CREATE TABLE notes (id integer GENERATED ALWAYS AS IDENTITY, other integer GENERATED ALWAYS AS IDENTITY, gone integer NOT NULL);
COMMENT ON SEQUENCE notes_id_seq IS 'counts the notes';
CREATE TABLE more (id integer GENERATED ALWAYS AS IDENTITY);
COMMENT ON SEQUENCE more_id_seq IS 'counts more';
