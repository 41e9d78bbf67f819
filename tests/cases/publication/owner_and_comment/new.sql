CREATE PUBLICATION changes;
ALTER PUBLICATION changes OWNER TO app_owner;
COMMENT ON PUBLICATION changes IS 'For the warehouse';
