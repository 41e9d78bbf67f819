CREATE TABLE messages (id integer NOT NULL, sender text, receiver text NOT NULL,
    CONSTRAINT messages_pkey PRIMARY KEY (id), CONSTRAINT messages_key UNIQUE (sender, id)) PARTITION BY RANGE (id);
CREATE TABLE messages_0 PARTITION OF messages FOR VALUES FROM (0) TO (100);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES FROM (100) TO (200);
