CREATE TABLE contacts (
    id integer,
    phone_number text NOT NULL DEFAULT '' -- tenantry: was phone
);
