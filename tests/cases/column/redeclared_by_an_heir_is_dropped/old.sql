CREATE TABLE z_base (id integer NOT NULL, note text DEFAULT 'of the z_base');
CREATE TABLE heir (more integer, note text DEFAULT 'of the heir') INHERITS (z_base);
