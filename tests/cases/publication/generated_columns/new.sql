CREATE TABLE contacts (id integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (id * 2) STORED);
CREATE PUBLICATION changes FOR TABLE contacts WITH (publish_generated_columns = stored);
CREATE PUBLICATION more FOR ALL TABLES WITH (publish_generated_columns = stored);
