CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE profiles (id bigint PRIMARY KEY, user_id bigint NOT NULL UNIQUE REFERENCES users, number text);
CREATE INDEX profiles_number ON profiles (number);
