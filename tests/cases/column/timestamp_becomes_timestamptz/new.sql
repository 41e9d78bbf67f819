CREATE TABLE messages (sent_at timestamptz);
