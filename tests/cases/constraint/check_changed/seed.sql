INSERT INTO orders VALUES ('paid');
