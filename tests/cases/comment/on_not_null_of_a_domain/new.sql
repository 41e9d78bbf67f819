CREATE DOMAIN kept AS integer CONSTRAINT never_null NOT NULL;
CREATE DOMAIN lost AS integer CONSTRAINT never_null NOT NULL;
CREATE DOMAIN gained AS integer NOT NULL;
CREATE DOMAIN other AS bigint NOT NULL;
CREATE TABLE numbers (a kept, b gained, c other);
COMMENT ON CONSTRAINT never_null ON DOMAIN kept IS 'kept';
COMMENT ON CONSTRAINT gained_not_null ON DOMAIN gained IS 'gained';
COMMENT ON CONSTRAINT other_not_null ON DOMAIN other IS 'of a domain over another base';
