INSERT INTO orders VALUES (1, 2); INSERT INTO person VALUES (1, 'Ann'); INSERT INTO customer VALUES (2, 'Bob');
