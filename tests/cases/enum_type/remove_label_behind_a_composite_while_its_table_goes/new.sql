CREATE TYPE mood AS ENUM ('ok', 'happy');
CREATE TYPE felt AS (mood mood, at date);
CREATE TABLE others (id integer, it mood);
