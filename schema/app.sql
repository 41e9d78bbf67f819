-- What the application's tables have in common: who the tenant is, and when a row last changed.

CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'Helpers of the application. Holds functions, no data';
GRANT USAGE ON SCHEMA app TO PUBLIC;

CREATE FUNCTION app.current_tenant() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.tenant', true), '')::integer;
COMMENT ON FUNCTION app.current_tenant() IS
    'The tenant of this session or transaction: the setting app.tenant. NULL, which sees no row, when it is not set';

CREATE FUNCTION app.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION app.touch_updated_at() IS 'Keeps updated_at the time of the last change';
