CREATE TABLE bookings (a integer, b integer, CONSTRAINT apart EXCLUDE USING gist (int4range(a, b) WITH &&) WITH (fillfactor = 80));
ALTER INDEX apart ALTER COLUMN 1 SET STATISTICS 300;
