CREATE TABLE users (id integer PRIMARY KEY);
CREATE TABLE messages (user_id integer REFERENCES users, id integer) PARTITION BY LIST (user_id);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES IN (1);
CREATE TABLE messages_rest PARTITION OF messages DEFAULT;
