CREATE TABLE contacts (
    id bigint PRIMARY KEY,
    phone_number text NOT NULL -- tenantry: was phone
);
CREATE INDEX contacts_phone ON contacts (phone_number);
