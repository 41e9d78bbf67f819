INSERT INTO contacts VALUES ('ada', 'a');
