CREATE TABLE orders (id integer PRIMARY KEY, customer integer NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON orders TO app_reader USING (customer = 1);
GRANT SELECT ON orders TO app_reader;
INSERT INTO orders VALUES (1, 1), (2, 2);
