INSERT INTO sums VALUES (1, '{1}');
