CREATE TABLE contacts (
    id integer,
    phone_number text -- tenantry: was phone
);
