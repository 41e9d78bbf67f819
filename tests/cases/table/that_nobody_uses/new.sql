CREATE TABLE people (id integer PRIMARY KEY);
CREATE TABLE contacts (
    id bigint PRIMARY KEY,
    number text NOT NULL, -- tenantry: was phone
    person integer CONSTRAINT whose REFERENCES people,
    score bigint CONSTRAINT positive CHECK (score > 0),
    token uuid NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT contacts_number_key UNIQUE (number)
);
CREATE INDEX contacts_score ON contacts (score, id);
CREATE INDEX contacts_person ON contacts (person);
CREATE TABLE log (at timestamptz, line text) PARTITION BY RANGE (at);
CREATE TABLE log_2024 (at timestamptz, line text);
CREATE TABLE log_2025 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
