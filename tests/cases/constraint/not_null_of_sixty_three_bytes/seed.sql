INSERT INTO a_table_whose_name_is_as_long_as_the_server_lets_it_be_at_all12 VALUES (1, 2);
