CREATE TABLE people_123456789_123456789_123456789_123456789_123456789_12345x (
    id serial PRIMARY KEY,
    a_name_that_takes_part_in_what_is_cut_as_well text UNIQUE,
    boss integer REFERENCES people_123456789_123456789_123456789_123456789_123456789_12345x,
    age integer CHECK (age > 0)
);
CREATE INDEX ON people_123456789_123456789_123456789_123456789_123456789_12345x (age, a_name_that_takes_part_in_what_is_cut_as_well);
CREATE TABLE few (
    id integer PRIMARY KEY,
    name text UNIQUE
);
