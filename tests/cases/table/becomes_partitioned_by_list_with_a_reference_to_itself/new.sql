CREATE TABLE orders (
    id bigint,
    region text NOT NULL,
    parent bigint,
    PRIMARY KEY (id, region),
    FOREIGN KEY (parent, region) REFERENCES orders (id, region)
) PARTITION BY LIST (region);
CREATE TABLE orders_east PARTITION OF orders FOR VALUES IN ('east');
CREATE TABLE orders_west PARTITION OF orders FOR VALUES IN ('west');
