INSERT INTO parcels VALUES (1, '{a,b}'), (2, NULL);
