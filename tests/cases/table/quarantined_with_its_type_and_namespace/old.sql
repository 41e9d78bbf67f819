CREATE SCHEMA legacy;
COMMENT ON SCHEMA legacy IS 'of the first version';
CREATE TYPE legacy.mood AS ENUM ('good', 'bad');
CREATE FUNCTION legacy.is_short(text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT length($1) < 10';
CREATE DOMAIN legacy.word AS text CHECK (legacy.is_short(VALUE));
CREATE SEQUENCE legacy.numbers;
CREATE FUNCTION legacy.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE legacy.notes (
    id bigint PRIMARY KEY DEFAULT nextval('legacy.numbers'),
    mood legacy.mood,
    word legacy.word
);
CREATE TRIGGER touched BEFORE INSERT ON legacy.notes FOR EACH ROW EXECUTE FUNCTION legacy.touch();
CREATE TABLE other (id bigint);
