CREATE TABLE contacts (id bigint PRIMARY KEY, phone text);
CREATE FUNCTION phone_of(contact bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
    BEGIN RETURN (SELECT phone FROM contacts WHERE id = contact); END $$;
CREATE FUNCTION phones() RETURNS SETOF text LANGUAGE sql STABLE AS $$ SELECT phone FROM contacts $$;
CREATE FUNCTION plain() RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$;
