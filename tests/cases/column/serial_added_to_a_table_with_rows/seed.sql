INSERT INTO contacts VALUES ('Ann'), ('Bob');
