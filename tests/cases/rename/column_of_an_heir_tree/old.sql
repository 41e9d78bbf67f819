CREATE TABLE events (kind text, size integer);
CREATE TABLE special (extra text) INHERITS (events);
CREATE INDEX special_size ON special (size);
