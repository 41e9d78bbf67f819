INSERT INTO contacts VALUES (12, 'Ann');
INSERT INTO tags (name) VALUES ('new');
