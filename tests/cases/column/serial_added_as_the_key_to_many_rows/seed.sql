INSERT INTO contacts VALUES ('a'), ('b'), ('c');
