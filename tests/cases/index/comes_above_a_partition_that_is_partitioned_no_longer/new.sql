CREATE SCHEMA app;
CREATE TABLE app.message (id integer NOT NULL, sent_at date, CONSTRAINT message_pkey PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE app.message_0 PARTITION OF app.message FOR VALUES FROM (0) TO (100);
CREATE TABLE app.message_rest PARTITION OF app.message DEFAULT;
CREATE INDEX message_sent ON app.message (sent_at);
