-- Each is what the next one was: an attribute comes, becomes another and goes.
CREATE DOMAIN d1 AS text DEFAULT 'x';
CREATE DOMAIN d2 AS text DEFAULT 'y';
CREATE DOMAIN d3 AS text NOT NULL;
CREATE DOMAIN d4 AS text CONSTRAINT c CHECK (VALUE <> '');
CREATE DOMAIN d5 AS text CONSTRAINT c CHECK (VALUE <> 'x');
CREATE DOMAIN d6 AS text COLLATE "C";
CREATE DOMAIN d7 AS text COLLATE "POSIX";
CREATE DOMAIN d8 AS text;
