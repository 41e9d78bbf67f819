CREATE TABLE orders (id integer NOT NULL, customer integer NOT NULL, placed date NOT NULL, PRIMARY KEY (id, placed));
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON orders TO app_reader USING (customer = current_setting('app.customer')::integer);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO app_reader;
INSERT INTO orders VALUES (1, 1, '2025-01-01'), (2, 2, '2025-01-01');
