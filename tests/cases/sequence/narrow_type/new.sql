CREATE SEQUENCE order_numbers AS smallint;
