CREATE SCHEMA app;

CREATE TABLE app.event (
    id integer NOT NULL,
    note text COLLATE "C" DEFAULT 'none' NOT NULL,
    kept text,
    CONSTRAINT event_note_check CHECK (note <> ''),
    CONSTRAINT event_kept_check CHECK (kept <> ''),
    CONSTRAINT event_id_check CHECK (id > 0)
) PARTITION BY RANGE (id);
CREATE TABLE app.event_low PARTITION OF app.event FOR VALUES FROM (0) TO (100);
