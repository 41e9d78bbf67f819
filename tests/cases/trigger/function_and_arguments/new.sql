CREATE TABLE contacts (id integer);
CREATE FUNCTION feel() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION feel('b', 'it''s', '');
