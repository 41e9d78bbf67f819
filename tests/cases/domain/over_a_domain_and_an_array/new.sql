CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN small AS positive CHECK (VALUE < 10);
CREATE DOMAIN smalls AS small[] CHECK (cardinality(VALUE) < 5);
