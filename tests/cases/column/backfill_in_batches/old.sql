CREATE TABLE orders (
    region text NOT NULL,
    "Number" integer NOT NULL,
    total numeric NOT NULL,
    PRIMARY KEY (region, "Number")
);
