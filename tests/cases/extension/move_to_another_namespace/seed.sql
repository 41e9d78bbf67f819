INSERT INTO users VALUES ('Ann@example.com');
