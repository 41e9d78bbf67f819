INSERT INTO legacy.notes (mood, word) VALUES ('bad', 'x'), (NULL, 'y');
