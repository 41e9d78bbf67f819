CREATE TABLE events_2024 (id integer NOT NULL, at date NOT NULL, text text DEFAULT 'x', PRIMARY KEY (id, at));
CREATE INDEX events_2024_text_idx ON events_2024 (text);
