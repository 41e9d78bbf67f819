CREATE SCHEMA app;

CREATE TABLE app.node (id integer NOT NULL, above integer, CONSTRAINT node_pkey PRIMARY KEY (id));
ALTER TABLE app.node
    ADD CONSTRAINT node_above_fkey FOREIGN KEY (above) REFERENCES app.node (id);
CREATE TABLE app.leaf (node integer);
ALTER TABLE app.leaf ADD CONSTRAINT leaf_node_fkey FOREIGN KEY (node) REFERENCES app.node (id) ON DELETE SET NULL;
