CREATE TABLE messages (id integer NOT NULL, day date NOT NULL, token text,
    CONSTRAINT messages_pkey PRIMARY KEY (id, day), CONSTRAINT messages_token UNIQUE (token, day)) PARTITION BY RANGE (day);
CREATE TABLE messages_2026 PARTITION OF messages FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE messages_rest PARTITION OF messages DEFAULT;
CREATE TABLE parts (message integer, day date, CONSTRAINT parts_message FOREIGN KEY (message, day) REFERENCES messages);
CREATE VIEW days AS SELECT id, day, token FROM messages GROUP BY id, day;
