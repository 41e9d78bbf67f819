CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER files FOREIGN DATA WRAPPER files;
CREATE TABLE events (id integer NOT NULL, size integer, note text, gone text, CONSTRAINT events_size CHECK (size > 0));
CREATE FOREIGN TABLE events_far () INHERITS (events) SERVER files;
CREATE TABLE logs (id integer NOT NULL, said text);
CREATE FOREIGN TABLE far (of text) INHERITS (events, logs) SERVER files;
CREATE FOREIGN TABLE farther () INHERITS (events_far) SERVER files;
