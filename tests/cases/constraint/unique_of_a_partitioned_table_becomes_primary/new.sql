CREATE TABLE messages (id integer NOT NULL, day date NOT NULL, CONSTRAINT messages_key PRIMARY KEY (day, id)) PARTITION BY RANGE (id);
CREATE TABLE messages_0 PARTITION OF messages FOR VALUES FROM (0) TO (100);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES FROM (100) TO (200);
CREATE TABLE parts (message integer, day date, FOREIGN KEY (message, day) REFERENCES messages (id, day))
    PARTITION BY LIST (day);
CREATE TABLE parts_all PARTITION OF parts DEFAULT;
