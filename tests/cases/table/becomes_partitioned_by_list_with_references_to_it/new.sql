CREATE TABLE orders (id integer, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE orders_east PARTITION OF orders FOR VALUES IN ('e');
CREATE TABLE orders_west PARTITION OF orders FOR VALUES IN ('w', 'x');
CREATE TABLE items (id integer PRIMARY KEY, "order" integer, region text, FOREIGN KEY ("order", region) REFERENCES orders);
