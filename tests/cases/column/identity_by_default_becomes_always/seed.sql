INSERT INTO contacts (id, name) VALUES (40, 'Ann');
INSERT INTO orders (name) VALUES ('one'), ('two');
INSERT INTO debts (id, name) VALUES (-7, 'much');
