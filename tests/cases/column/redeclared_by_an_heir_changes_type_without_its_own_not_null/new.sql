CREATE TABLE base (id bigint NOT NULL, note character varying(80) COLLATE "C");
CREATE TABLE heir (note character varying(80) COLLATE "C", more integer) INHERITS (base);
CREATE TABLE heir_of_the_heir (id bigint) INHERITS (heir);
