CREATE TABLE contacts ( -- tenantry: was people
    id serial PRIMARY KEY,
    name text UNIQUE,
    boss integer REFERENCES contacts,
    age integer CHECK (age > 0)
);
CREATE INDEX contacts_age_idx ON contacts (age);
