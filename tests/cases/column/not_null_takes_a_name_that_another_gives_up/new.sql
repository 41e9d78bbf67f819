CREATE TABLE t (
    id integer PRIMARY KEY,
    a integer CONSTRAINT required NOT NULL,
    b integer CONSTRAINT needed NOT NULL,
    llllllllllllllllllllllllllllllllllllllllllllllllllllllllllll text CONSTRAINT long_not_null NOT NULL
);
