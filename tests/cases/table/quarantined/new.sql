CREATE TABLE users (id bigint PRIMARY KEY);

CREATE TABLE replies (id bigint PRIMARY KEY, fax_id bigint);

CREATE PUBLICATION everything FOR TABLE users;
