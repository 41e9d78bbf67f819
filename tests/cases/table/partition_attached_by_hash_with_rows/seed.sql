INSERT INTO message_1 SELECT i FROM generate_series(1, 20) i WHERE satisfies_hash_partition('message'::regclass, 2, 1, i);
