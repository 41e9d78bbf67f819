CREATE TABLE events (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at date NOT NULL,
    text text CHECK (text <> '')
);
