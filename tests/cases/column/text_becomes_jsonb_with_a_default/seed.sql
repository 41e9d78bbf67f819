INSERT INTO contacts VALUES ('{"b": [2]}');
