CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE TABLE plans (id serial PRIMARY KEY);
CREATE TABLE notes (id serial PRIMARY KEY, body text);
CREATE TABLE tags (id serial PRIMARY KEY);
CREATE TABLE events (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events DEFAULT;
