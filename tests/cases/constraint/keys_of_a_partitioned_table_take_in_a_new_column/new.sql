CREATE TABLE messages (id integer NOT NULL, day date NOT NULL, token text, user_id integer NOT NULL DEFAULT 1,
    CONSTRAINT messages_pkey PRIMARY KEY (user_id, id, day),
    CONSTRAINT messages_token UNIQUE (user_id, token, day)) PARTITION BY RANGE (day);
CREATE TABLE messages_2026 PARTITION OF messages FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE messages_rest PARTITION OF messages DEFAULT;
CREATE TABLE parts (message integer, day date, user_id integer NOT NULL DEFAULT 1,
    CONSTRAINT parts_message FOREIGN KEY (user_id, message, day) REFERENCES messages);
CREATE VIEW days AS SELECT id, day, token FROM messages GROUP BY user_id, id, day;
