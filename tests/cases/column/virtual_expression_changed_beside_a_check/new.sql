CREATE TABLE contacts (age integer CHECK (age > 0), first text, initial text GENERATED ALWAYS AS (left(first, 1)) VIRTUAL,
    CONSTRAINT short CHECK (length(initial) < 2));
CREATE VIEW initials AS SELECT initial FROM contacts;
CREATE POLICY own ON contacts USING (initial > '');
CREATE TABLE logs (at date CHECK (at > '2000-01-01'), year numeric GENERATED ALWAYS AS (extract(decade FROM at)) VIRTUAL) PARTITION BY RANGE (at);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
