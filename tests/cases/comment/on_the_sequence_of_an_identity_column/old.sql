CREATE TABLE notes (id integer GENERATED ALWAYS AS IDENTITY, other integer GENERATED ALWAYS AS IDENTITY, gone integer GENERATED ALWAYS AS IDENTITY);
COMMENT ON SEQUENCE notes_id_seq IS 'counts notes';
COMMENT ON SEQUENCE notes_other_seq IS 'counts others';
COMMENT ON SEQUENCE notes_gone_seq IS 'goes';
