CREATE TABLE contacts (
    id integer,
    mobile text, -- tenantry: was phone
    phone integer
);
