CREATE TABLE users (id integer PRIMARY KEY, n integer NOT NULL UNIQUE);
CREATE TABLE posts (id integer, u integer CONSTRAINT posts_u_fkey REFERENCES users (id));
