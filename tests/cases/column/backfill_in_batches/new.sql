CREATE TABLE orders (
    region text NOT NULL,
    "Number" integer NOT NULL,
    total numeric NOT NULL,
    tenant integer NOT NULL DEFAULT 1,
    PRIMARY KEY (region, "Number")
);
