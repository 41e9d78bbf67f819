INSERT INTO contacts VALUES ('Ann', 1);
