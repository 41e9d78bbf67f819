CREATE TABLE contacts ( -- tenantry: was people
    id integer,
    phone_number text -- tenantry: was phone
);
