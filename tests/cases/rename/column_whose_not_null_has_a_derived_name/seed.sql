INSERT INTO contacts VALUES ('1');
