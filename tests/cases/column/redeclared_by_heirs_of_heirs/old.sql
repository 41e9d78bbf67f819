CREATE TABLE base (id integer NOT NULL, old_one text);
CREATE TABLE heir (old_one text) INHERITS (base);
CREATE TABLE also_heir (other integer) INHERITS (base);
CREATE TABLE heir_of_both (old_one text) INHERITS (heir, also_heir);
