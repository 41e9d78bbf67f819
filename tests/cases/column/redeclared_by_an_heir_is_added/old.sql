CREATE TABLE z_base (id integer NOT NULL);
CREATE TABLE heir (more integer) INHERITS (z_base);
