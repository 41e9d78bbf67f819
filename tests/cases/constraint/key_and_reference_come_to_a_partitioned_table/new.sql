CREATE SCHEMA app;

CREATE TABLE app.node (id integer NOT NULL, above integer) PARTITION BY RANGE (id);
CREATE TABLE app.node_high PARTITION OF app.node FOR VALUES FROM (100) TO (200) PARTITION BY HASH (id);
CREATE TABLE app.node_high_all PARTITION OF app.node_high FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE app.node_low PARTITION OF app.node FOR VALUES FROM (0) TO (100);
CREATE TABLE app.zone PARTITION OF app.node DEFAULT;
CREATE TABLE app.leaf (node integer);
ALTER TABLE app.node ADD CONSTRAINT node_pkey PRIMARY KEY (id);
ALTER TABLE app.node ADD CONSTRAINT node_above_fkey FOREIGN KEY (above) REFERENCES app.node (id);
ALTER TABLE app.leaf ADD CONSTRAINT leaf_node_fkey FOREIGN KEY (node) REFERENCES app.node (id);
