CREATE TYPE mood AS ENUM ('unhappy', 'ok');
CREATE TABLE people (id integer, mood mood);
