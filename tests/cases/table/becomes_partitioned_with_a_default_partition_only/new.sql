CREATE TABLE events (
    id integer GENERATED ALWAYS AS IDENTITY,
    at date NOT NULL,
    text text CHECK (text <> ''),
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
