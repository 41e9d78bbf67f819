CREATE TABLE t (
    id integer PRIMARY KEY,
    a integer,
    b integer CONSTRAINT required NOT NULL,
    llllllllllllllllllllllllllllllllllllllllllllllllllllllllllll text NOT NULL
);
