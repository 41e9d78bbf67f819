CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE TABLE events (contact_id integer, at date, CONSTRAINT contact FOREIGN KEY (contact_id) REFERENCES contacts NOT ENFORCED) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
