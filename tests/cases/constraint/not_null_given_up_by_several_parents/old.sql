CREATE TABLE person (id integer NOT NULL);
CREATE TABLE payer (id integer NOT NULL);
CREATE TABLE customer () INHERITS (person, payer);
CREATE TABLE member () INHERITS (customer);
CREATE TABLE guest () INHERITS (customer);
CREATE TABLE first () INHERITS (guest);
COMMENT ON CONSTRAINT person_id_not_null ON member IS 'as it was';
