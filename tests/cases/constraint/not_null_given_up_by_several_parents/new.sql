CREATE TABLE person (id integer);
CREATE TABLE payer (id integer);
CREATE TABLE customer () INHERITS (person, payer);
CREATE TABLE member (CONSTRAINT required NOT NULL id) INHERITS (customer);
CREATE TABLE guest (CONSTRAINT needed NOT NULL id) INHERITS (customer);
CREATE TABLE first () INHERITS (guest);
COMMENT ON CONSTRAINT required ON member IS 'as it is';
