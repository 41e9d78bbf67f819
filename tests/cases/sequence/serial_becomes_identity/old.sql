-- The next number must not begin again at 1.
CREATE TABLE orders (id serial PRIMARY KEY);
