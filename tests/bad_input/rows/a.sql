CREATE TABLE plans (id int);
INSERT INTO plans VALUES (1);
UPDATE plans SET id = 2;
DELETE FROM plans;
TRUNCATE plans;
SELECT setval('plans_id_seq', 1);
