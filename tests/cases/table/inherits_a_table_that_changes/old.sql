CREATE TABLE t (
    id integer PRIMARY KEY,
    gone text DEFAULT 'x',
    other text DEFAULT 'x',
    required integer NOT NULL,
    kind text CONSTRAINT t_kind CHECK (kind <> '')
);
