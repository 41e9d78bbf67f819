CREATE TABLE contacts (
    id integer,
    CONSTRAINT above_zero CHECK (id > 0), -- tenantry: was positive
    CONSTRAINT contacts_id_key UNIQUE (id) -- tenantry: was once
);
