CREATE TABLE a (id integer, x text, CHECK (id > 0));
CREATE TABLE b (id integer, y text DEFAULT 'b');
CREATE TABLE c (z integer) INHERITS (a, b);
CREATE TABLE d () INHERITS (c);
