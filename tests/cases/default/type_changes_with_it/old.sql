CREATE TABLE orders (paid integer NOT NULL DEFAULT 0);
