CREATE TABLE users (id bigint PRIMARY KEY, name text, phone text);
CREATE TABLE profiles (id bigint PRIMARY KEY, user_id bigint NOT NULL UNIQUE REFERENCES users);
