INSERT INTO users VALUES (1), (2);
INSERT INTO faxes (user_id, pages, note) VALUES (1, 3, 'a'), (2, 20, NULL);
INSERT INTO replies VALUES (1, 1);
