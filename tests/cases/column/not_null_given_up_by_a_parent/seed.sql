INSERT INTO person VALUES (1, 'a'); INSERT INTO guest VALUES (2, 'b'); INSERT INTO member VALUES (3, 'c');
