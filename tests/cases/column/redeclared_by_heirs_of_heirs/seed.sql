INSERT INTO base VALUES (1);
INSERT INTO heir_of_both (id) VALUES (2);
