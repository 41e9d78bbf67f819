CREATE TABLE contacts (id integer);
CREATE INDEX contacts_id_idx ON contacts (id); -- tenantry: was idx1
COMMENT ON INDEX contacts_id_idx IS 'By number';
