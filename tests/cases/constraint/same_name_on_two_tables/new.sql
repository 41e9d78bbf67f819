CREATE TABLE a (x integer);
CREATE TABLE b (x integer CONSTRAINT positive CHECK (x > 0));
