CREATE TABLE contacts (
    id integer,
    note text DEFAULT '-- tenantry: was id'
);
COMMENT ON TABLE contacts IS '-- tenantry: was people';
