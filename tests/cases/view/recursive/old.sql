CREATE TABLE employees (id integer, boss integer);
