CREATE TABLE prices (amount numeric(12, 2), rate numeric(10, 4));
