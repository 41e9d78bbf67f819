CREATE SCHEMA app;

CREATE TABLE app.node (id integer NOT NULL, above integer, CONSTRAINT node_key PRIMARY KEY (id));
ALTER TABLE app.node
    ADD CONSTRAINT node_above_fkey FOREIGN KEY (above) REFERENCES app.node (id) DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE app.leaf (node integer);
ALTER TABLE app.leaf ADD CONSTRAINT leaf_node_fkey FOREIGN KEY (node) REFERENCES app.node (id) ON DELETE CASCADE;
