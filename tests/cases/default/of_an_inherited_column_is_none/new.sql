CREATE TABLE documents (id integer NOT NULL, state text DEFAULT 'draft');
CREATE TABLE events (at date NOT NULL, state text DEFAULT 'open') PARTITION BY RANGE (at);

CREATE TABLE parcels (id serial, weight integer DEFAULT 1, height integer DEFAULT 2);
CREATE TABLE big_parcels () INHERITS (parcels);
ALTER TABLE big_parcels ALTER COLUMN weight DROP DEFAULT, ALTER COLUMN height SET DEFAULT 3;

CREATE TABLE letters () INHERITS (documents);
ALTER TABLE letters ALTER COLUMN state DROP DEFAULT;

CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE events_2026 ALTER COLUMN state DROP DEFAULT;
