CREATE TABLE notes (id bigint PRIMARY KEY, year integer, place text);
CREATE TABLE readers (id bigint PRIMARY KEY, note bigint REFERENCES notes, name text NOT NULL DEFAULT 'nobody');
CREATE INDEX readers_name ON readers (name);
CREATE TABLE editors (id bigint PRIMARY KEY, note bigint NOT NULL CHECK (note > 0));
CREATE VIEW noted AS SELECT id, year FROM notes;
CREATE VIEW read AS SELECT readers.id, noted.year FROM readers JOIN noted ON noted.id = readers.note;
CREATE VIEW edited AS SELECT id FROM editors;
