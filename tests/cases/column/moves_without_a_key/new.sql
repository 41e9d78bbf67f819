CREATE TABLE users (id bigint, name text);
CREATE TABLE profiles (id bigint PRIMARY KEY, user_id bigint NOT NULL, number text);
CREATE INDEX profiles_number ON profiles (number);
