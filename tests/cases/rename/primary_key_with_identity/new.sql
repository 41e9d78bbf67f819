CREATE TABLE contacts (
    contact_id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME contacts_id_seq) PRIMARY KEY, -- tenantry: was id
    name text
);
CREATE TABLE calls (contact bigint REFERENCES contacts);
