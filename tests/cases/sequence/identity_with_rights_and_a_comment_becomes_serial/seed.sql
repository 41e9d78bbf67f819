INSERT INTO p (t) VALUES ('a');
