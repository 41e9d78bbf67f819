CREATE TABLE messages (tenant integer, id integer, PRIMARY KEY (tenant, id)) PARTITION BY LIST (tenant);
CREATE TABLE messages_1 PARTITION OF messages FOR VALUES IN (1);
CREATE TABLE orders (tenant integer, message_id integer, FOREIGN KEY (tenant, message_id) REFERENCES messages);
