INSERT INTO messages VALUES (1, 'a', 'b'), (101, 'a', 'b');
INSERT INTO events VALUES (1, 'a', 'b'), (101, 'a', 'b');
