CREATE TABLE messages (id bigint, sent_at date, body text, PRIMARY KEY (id, sent_at));
