CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE p (id integer, m mood DEFAULT 'sad', ms mood[] DEFAULT '{sad}');
