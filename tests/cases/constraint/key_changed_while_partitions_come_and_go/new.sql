CREATE TABLE messages (id integer NOT NULL, sender text, receiver text NOT NULL,
    CONSTRAINT messages_pkey PRIMARY KEY (id, receiver),
    CONSTRAINT messages_key UNIQUE (receiver, sender, id)) PARTITION BY RANGE (id);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES FROM (100) TO (200);
CREATE TABLE messages_2 PARTITION OF messages FOR VALUES FROM (200) TO (300);
