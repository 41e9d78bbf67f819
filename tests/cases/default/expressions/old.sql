CREATE TABLE orders (a text, b timestamptz, c jsonb, d text[], e interval, f text, g bit(3));
