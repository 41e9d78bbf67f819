CREATE TABLE orders (id integer NOT NULL, state text);
CREATE PUBLICATION feed FOR TABLE orders;
