CREATE TABLE base (id integer NOT NULL, note text);
CREATE TABLE heir (note text, more integer) INHERITS (base);
CREATE TABLE heir_of_the_heir (id integer) INHERITS (heir);
