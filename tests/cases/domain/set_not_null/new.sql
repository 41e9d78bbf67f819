CREATE DOMAIN currency AS char(3) NOT NULL;
CREATE TABLE prices (amount numeric, currency currency);
