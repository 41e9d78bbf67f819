INSERT INTO notes VALUES (1, '{a,b}'), (2, NULL);
