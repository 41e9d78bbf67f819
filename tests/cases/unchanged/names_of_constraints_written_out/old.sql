CREATE TABLE contacts (id integer PRIMARY KEY, phone text UNIQUE, age integer CHECK (age > 0), boss integer REFERENCES contacts);
