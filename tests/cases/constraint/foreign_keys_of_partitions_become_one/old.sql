CREATE TABLE users (id integer PRIMARY KEY);
CREATE TABLE events (kind text, u integer) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a') PARTITION BY RANGE (u);
CREATE TABLE events_a1 PARTITION OF events_a FOR VALUES FROM (0) TO (10);
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b');
ALTER TABLE events_a ADD CONSTRAINT events_u_fkey FOREIGN KEY (u) REFERENCES users (id);
ALTER TABLE events_b ADD CONSTRAINT events_u_fkey FOREIGN KEY (u) REFERENCES users (id);
