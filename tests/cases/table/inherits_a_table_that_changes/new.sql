CREATE TABLE t (
    id integer PRIMARY KEY,
    gone text,
    other text DEFAULT 'y',
    required integer,
    kind text
);
CREATE TABLE heir (own text) INHERITS (t);
CREATE TABLE another (other text DEFAULT 'z') INHERITS (t);
