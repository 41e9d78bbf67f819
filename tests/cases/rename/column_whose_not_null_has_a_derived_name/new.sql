CREATE TABLE contacts (
    phone text NOT NULL -- tenantry: was phone_number
);
