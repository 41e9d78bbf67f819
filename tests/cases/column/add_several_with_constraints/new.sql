CREATE TABLE users (id integer PRIMARY KEY);
CREATE TABLE contacts (
    id integer,
    user_id integer REFERENCES users,
    age integer CHECK (age > 0),
    code text UNIQUE
);
