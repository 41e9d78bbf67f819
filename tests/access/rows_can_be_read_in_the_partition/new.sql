CREATE TABLE orders (id integer NOT NULL, customer integer NOT NULL, placed date NOT NULL, PRIMARY KEY (id, placed))
    PARTITION BY RANGE (placed);
CREATE TABLE orders_first PARTITION OF orders FOR VALUES FROM (MINVALUE) TO ('2030-01-01');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON orders TO app_reader USING (customer = current_setting('app.customer')::integer);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO app_reader;
