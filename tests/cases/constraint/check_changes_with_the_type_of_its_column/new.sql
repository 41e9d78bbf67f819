CREATE TABLE orders (status integer, CONSTRAINT known CHECK (status > 0));
