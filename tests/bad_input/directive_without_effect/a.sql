-- tenantry: was people

CREATE TABLE contacts (
    id int, -- tenantry: was id
    name text, -- tenantry: renamed full_name
    phone text, -- tenantry: was phone number
    state text -- tenantry: allow drop-colum because nobody reads it
);
CREATE INDEX by_name ON contacts (name); -- tenantry: allow index-not-concurrent
CREATE EXTENSION citext; -- tenantry: was ci_text
