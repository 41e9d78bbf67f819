CREATE TABLE people (id integer PRIMARY KEY);
CREATE TABLE contacts (
    id bigint PRIMARY KEY,
    phone text,
    person integer,
    score integer
);
CREATE INDEX contacts_score ON contacts (score);
CREATE TABLE log (at timestamptz, line text) PARTITION BY RANGE (at);
CREATE TABLE log_2024 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE log_2025 (at timestamptz, line text);
