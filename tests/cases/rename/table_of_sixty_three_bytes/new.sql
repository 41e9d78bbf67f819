-- The server cuts the names that it makes of that of the table; what has them is renamed all the same.
CREATE TABLE contacts_123456789_123456789_123456789_123456789_123456789_123x ( -- tenantry: was people_123456789_123456789_123456789_123456789_123456789_12345x
    id serial PRIMARY KEY,
    a_name_that_takes_part_in_what_is_cut_as_well text UNIQUE,
    boss integer REFERENCES contacts_123456789_123456789_123456789_123456789_123456789_123x,
    age integer CHECK (age > 0)
);
CREATE INDEX ON contacts_123456789_123456789_123456789_123456789_123456789_123x (age, a_name_that_takes_part_in_what_is_cut_as_well);
CREATE TABLE few_123456789_123456789_123456789_123456789_123456789_12345678x ( -- tenantry: was few
    id integer PRIMARY KEY,
    name text UNIQUE
);
