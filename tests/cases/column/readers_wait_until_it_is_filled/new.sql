CREATE TABLE contacts (id bigint PRIMARY KEY, prefix text NOT NULL, rest text NOT NULL);
CREATE VIEW numbers AS SELECT id, prefix || rest AS phone FROM contacts;
CREATE VIEW prefixes AS SELECT phone FROM numbers;
CREATE FUNCTION phone_of(contact bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
    BEGIN RETURN (SELECT prefix || rest FROM contacts WHERE id = contact); END $$;
CREATE FUNCTION phones() RETURNS SETOF text LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT prefix || rest FROM contacts; END;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY known ON contacts USING (prefix <> '');
CREATE FUNCTION phone_in(contacts) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.prefix || $1.rest';
CREATE FUNCTION phone_within(contact contacts) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN contact.prefix || contact.rest; END';
