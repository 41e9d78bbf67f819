CREATE TABLE prices (amount numeric(10, 2), rate numeric(10, 2));
