-- The old default has no cast to the new type: it must go before and come after.
CREATE TABLE orders (paid text DEFAULT 'no');
