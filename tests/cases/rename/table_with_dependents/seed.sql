INSERT INTO people VALUES (1, 'Ann');
INSERT INTO messages VALUES (1);
