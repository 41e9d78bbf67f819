CREATE TABLE person (id integer NOT NULL);
CREATE TABLE customer (CONSTRAINT required NOT NULL id) INHERITS (person);
COMMENT ON CONSTRAINT required ON customer IS 'by a name of its own';
