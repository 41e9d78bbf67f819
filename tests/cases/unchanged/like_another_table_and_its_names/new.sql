CREATE TABLE a (id integer NOT NULL DEFAULT 1, name text COLLATE "C", CONSTRAINT positive CHECK (id > 0));
CREATE TABLE b (id integer CONSTRAINT a_id_not_null NOT NULL DEFAULT 1, name text COLLATE "C", CONSTRAINT positive CHECK (id > 0));
