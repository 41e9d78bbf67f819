CREATE FUNCTION is_phone(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 ~ '^\+[0-9]+$' $$;
CREATE TABLE contacts (phone text CHECK (is_phone(phone)));
