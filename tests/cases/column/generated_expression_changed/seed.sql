INSERT INTO contacts VALUES ('Ann', 'Lee');
