CREATE TABLE messages (sent_at timestamp);
