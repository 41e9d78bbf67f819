CREATE TABLE employees (id integer PRIMARY KEY, boss integer REFERENCES employees);
