CREATE DOMAIN currency AS char(3);
CREATE TABLE prices (amount numeric, currency currency);
