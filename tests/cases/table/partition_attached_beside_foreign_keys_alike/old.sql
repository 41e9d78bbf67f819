CREATE TABLE kinds (id integer NOT NULL, CONSTRAINT kinds_pkey PRIMARY KEY (id));
CREATE TABLE events (id integer NOT NULL, kind integer) PARTITION BY RANGE (id);
ALTER TABLE events ADD CONSTRAINT of_kind FOREIGN KEY (kind) REFERENCES kinds (id);
CREATE TABLE events_old (id integer NOT NULL, kind integer);
ALTER TABLE events_old ADD CONSTRAINT of_kind FOREIGN KEY (kind) REFERENCES kinds (id);
ALTER TABLE events_old ADD CONSTRAINT a_kind FOREIGN KEY (kind) REFERENCES kinds (id);
ALTER TABLE events_old ADD CONSTRAINT z_kind FOREIGN KEY (kind) REFERENCES kinds (id);
