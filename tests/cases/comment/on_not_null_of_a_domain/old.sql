CREATE DOMAIN kept AS integer CONSTRAINT always NOT NULL;
CREATE DOMAIN lost AS integer CONSTRAINT always NOT NULL;
CREATE DOMAIN gained AS integer;
CREATE DOMAIN other AS integer NOT NULL;
CREATE TABLE numbers (a kept, b gained, c other);
COMMENT ON CONSTRAINT always ON DOMAIN kept IS 'kept';
COMMENT ON CONSTRAINT always ON DOMAIN lost IS 'lost';
COMMENT ON CONSTRAINT other_not_null ON DOMAIN other IS 'of a domain over another base';
