CREATE TABLE users (id integer NOT NULL UNIQUE, n integer PRIMARY KEY);
CREATE TABLE posts (id integer, u integer CONSTRAINT posts_u_fkey REFERENCES users (id));
