CREATE SCHEMA app;

CREATE TABLE app.node (id integer NOT NULL, above integer, CONSTRAINT node_pkey PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE app.node_low PARTITION OF app.node FOR VALUES FROM (0) TO (100);
CREATE TABLE app.node_rest PARTITION OF app.node DEFAULT;
ALTER TABLE app.node ADD CONSTRAINT node_above_fkey FOREIGN KEY (above) REFERENCES app.node (id);
