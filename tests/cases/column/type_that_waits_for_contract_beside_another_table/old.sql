CREATE TABLE notes (id bigint PRIMARY KEY, year text);
CREATE TABLE readers (id bigint PRIMARY KEY, note bigint);
CREATE TABLE editors (id bigint PRIMARY KEY, note bigint);
CREATE VIEW noted AS SELECT id, year FROM notes;
