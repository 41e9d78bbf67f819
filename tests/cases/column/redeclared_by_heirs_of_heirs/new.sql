CREATE TABLE base (id integer NOT NULL, new_one integer NOT NULL DEFAULT 1);
CREATE TABLE heir (new_one integer NOT NULL DEFAULT 2) INHERITS (base);
CREATE TABLE also_heir (other integer) INHERITS (base);
CREATE TABLE heir_of_both (new_one integer NOT NULL DEFAULT 3) INHERITS (heir, also_heir);
