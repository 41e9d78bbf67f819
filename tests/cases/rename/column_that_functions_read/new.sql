CREATE TABLE contacts (
    id bigint PRIMARY KEY,
    number text -- tenantry: was phone
);
CREATE FUNCTION phone_of(contact bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
    BEGIN RETURN (SELECT number FROM contacts WHERE id = contact); END $$;
CREATE FUNCTION phones() RETURNS SETOF text LANGUAGE sql STABLE AS $$ SELECT number FROM contacts $$;
CREATE FUNCTION plain() RETURNS integer LANGUAGE sql AS $$ SELECT 2 $$;
