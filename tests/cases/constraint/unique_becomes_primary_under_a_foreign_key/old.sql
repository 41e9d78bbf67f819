CREATE TABLE users (id integer NOT NULL, CONSTRAINT users_id_key UNIQUE (id));
CREATE TABLE posts (id integer, u integer CONSTRAINT posts_u_fkey REFERENCES users (id));
