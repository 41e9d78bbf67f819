INSERT INTO contacts (phone) VALUES ('a'), ('b');
