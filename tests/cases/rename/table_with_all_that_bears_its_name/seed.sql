INSERT INTO people (name, age) VALUES ('Ann', 30), ('Bob', 40);
