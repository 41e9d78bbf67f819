CREATE TABLE contacts (id integer PRIMARY KEY);
CREATE PUBLICATION changes FOR TABLE contacts WITH (publish = 'insert, delete', publish_via_partition_root = true);
