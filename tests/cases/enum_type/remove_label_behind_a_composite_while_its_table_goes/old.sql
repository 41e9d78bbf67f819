CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE felt AS (mood mood, at date);
CREATE TABLE people (id integer, it felt);
CREATE TABLE others (id integer, it mood);
