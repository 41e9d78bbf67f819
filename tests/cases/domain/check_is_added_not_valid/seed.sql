INSERT INTO users VALUES ('nobody');
