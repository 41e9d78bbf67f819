-- The function is in use: it must not speak of the column before that is there.
CREATE TABLE contacts (id integer, name text, touched_at timestamptz);
CREATE FUNCTION a_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.touched_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION a_touch();
