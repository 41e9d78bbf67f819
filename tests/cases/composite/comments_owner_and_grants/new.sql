CREATE TYPE address AS (street text);
ALTER TYPE address OWNER TO app_owner;
COMMENT ON TYPE address IS 'Where someone lives';
COMMENT ON COLUMN address.street IS 'With the house number';
REVOKE USAGE ON TYPE address FROM PUBLIC;
GRANT USAGE ON TYPE address TO app_writer;
