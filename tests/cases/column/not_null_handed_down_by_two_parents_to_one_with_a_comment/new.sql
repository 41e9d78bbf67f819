CREATE TABLE a (n integer NOT NULL);
CREATE TABLE b (n integer NOT NULL);
CREATE TABLE c () INHERITS (b, a);
COMMENT ON CONSTRAINT b_n_not_null ON c IS 'x';
