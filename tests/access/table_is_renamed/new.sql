CREATE TABLE purchases (id integer PRIMARY KEY, customer integer NOT NULL);
ALTER TABLE purchases ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON purchases TO app_reader USING (customer < 10);
GRANT SELECT ON purchases TO app_reader;
