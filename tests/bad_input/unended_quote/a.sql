CREATE TABLE a (id int, state text DEFAULT 'new);

CREATE TABLE b (id int);
