-- Nothing that it has counted is within the new bounds.
CREATE SEQUENCE order_numbers INCREMENT BY -1;
