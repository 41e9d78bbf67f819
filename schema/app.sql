-- What the application's tables have in common: who the tenant is, and when a row last changed.

CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'Helpers of the application. Holds functions, no data';
GRANT USAGE ON SCHEMA app TO PUBLIC;

CREATE FUNCTION app.tenant_of_login() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = ''
    AS $$
    SELECT coalesce(
        (SELECT u.id FROM public.users u WHERE u.auth_user_id = auth.uid() AND u.is_active),
        (SELECT m.user_id FROM public.team_members m
          WHERE m.auth_user_id = auth.uid() AND m.joined_at IS NOT NULL ORDER BY m.joined_at LIMIT 1))
$$;
COMMENT ON FUNCTION app.tenant_of_login() IS
    'Whose account the login of a request has, or works in; NULL for one that has none';

CREATE FUNCTION app.current_tenant() RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN auth.uid() IS NULL THEN nullif(current_setting('app.tenant', true), '')::integer
                ELSE app.tenant_of_login() END;
COMMENT ON FUNCTION app.current_tenant() IS
    'The tenant of a request by its login; of a back end, which has none, by the setting app.tenant. NULL sees no row';

CREATE FUNCTION app.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION app.touch_updated_at() IS 'Keeps updated_at the time of the last change';
