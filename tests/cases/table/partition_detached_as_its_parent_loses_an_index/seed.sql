INSERT INTO users VALUES (1);
INSERT INTO messages (id, user_id, sent_at) VALUES (1, 1, '2024-05-05'), (2, 1, '2025-05-05');
