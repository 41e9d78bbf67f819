CREATE TABLE users (id integer PRIMARY KEY);
CREATE TABLE events (kind text, u integer) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b');
ALTER TABLE events_a ADD CONSTRAINT events_u_fkey FOREIGN KEY (u) REFERENCES users (id) ON DELETE CASCADE;
