CREATE TABLE people (id serial PRIMARY KEY, name text UNIQUE, boss integer REFERENCES people, age integer CHECK (age > 0));
CREATE INDEX people_age_idx ON people (age);
