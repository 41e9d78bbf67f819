INSERT INTO words VALUES ('a', 1), ('b', 2);
INSERT INTO uses VALUES ('a'), ('b');
