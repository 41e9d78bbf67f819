CREATE TABLE contacts (id bigint PRIMARY KEY, phone text NOT NULL);
CREATE VIEW numbers AS SELECT id, phone FROM contacts;
CREATE VIEW prefixes AS SELECT phone FROM numbers;
CREATE FUNCTION phone_of(contact bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
    BEGIN RETURN (SELECT phone FROM contacts WHERE id = contact); END $$;
CREATE FUNCTION phones() RETURNS SETOF text LANGUAGE sql STABLE BEGIN ATOMIC SELECT phone FROM contacts; END;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY known ON contacts USING (phone <> '');
CREATE FUNCTION phone_in(contacts) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.phone';
CREATE FUNCTION phone_within(contact contacts) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN contact.phone; END';
