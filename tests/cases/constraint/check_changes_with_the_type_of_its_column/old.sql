CREATE TABLE orders (status text, CONSTRAINT known CHECK (status <> ''));
