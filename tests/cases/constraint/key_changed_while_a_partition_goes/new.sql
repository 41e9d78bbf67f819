CREATE TABLE messages (id integer NOT NULL, sender text, receiver text NOT NULL,
    CONSTRAINT messages_key UNIQUE (receiver, sender, id) DEFERRABLE) PARTITION BY RANGE (id);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES FROM (100) TO (200);
CREATE TABLE events (id integer NOT NULL, sender text, receiver text NOT NULL,
    CONSTRAINT events_key UNIQUE (receiver, sender, id)) PARTITION BY RANGE (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (100) TO (200);
ALTER TABLE events_1 CLUSTER ON events_1_receiver_sender_id_key;
