CREATE TABLE orders (id integer, region text, note text, PRIMARY KEY (id, region));
CREATE TABLE items (id integer PRIMARY KEY, "order" integer, region text, FOREIGN KEY ("order", region) REFERENCES orders);
