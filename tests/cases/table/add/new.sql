CREATE TABLE contacts (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    phone_number varchar(255) NOT NULL UNIQUE,
    name text COLLATE "C" DEFAULT 'unknown',
    initial text GENERATED ALWAYS AS (left(name, 1)) STORED,
    age integer CHECK (age >= 0)
);
