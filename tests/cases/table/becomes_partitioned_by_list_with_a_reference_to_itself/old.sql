CREATE TABLE orders (
    id bigint,
    region text NOT NULL,
    parent bigint,
    PRIMARY KEY (id, region),
    FOREIGN KEY (parent, region) REFERENCES orders (id, region)
);
