CREATE TABLE a (id bigint, x text NOT NULL, CHECK (id > 0));
CREATE TABLE b (id bigint, y text DEFAULT 'bb');
CREATE TABLE c (z integer) INHERITS (a, b);
CREATE TABLE d () INHERITS (c);
