CREATE TABLE contacts (id bigint PRIMARY KEY, first_name text, last_name text);
CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.first_name := btrim(NEW.first_name); RETURN NEW; END';
CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION tidy();
