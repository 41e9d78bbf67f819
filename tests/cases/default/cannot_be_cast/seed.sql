INSERT INTO orders VALUES ('no'), ('yes');
