CREATE TABLE contacts (
    id integer PRIMARY KEY,
    token uuid NOT NULL DEFAULT gen_random_uuid(),
    luck double precision DEFAULT random()
);
