CREATE TYPE mood AS ENUM ('ok');
CREATE TABLE p (id integer, m mood DEFAULT 'ok', ms mood[] DEFAULT '{ok}');
