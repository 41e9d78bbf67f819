-- Where extensions live: never in public. Those that this server lacks are left out, and those whose library it can't
-- load for want of another library.

CREATE SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role;
GRANT ALL ON SCHEMA extensions TO dashboard_user;

CREATE SCHEMA graphql;
CREATE SCHEMA graphql_public;
GRANT USAGE ON SCHEMA graphql, graphql_public TO anon, authenticated, service_role;

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['pg_stat_statements', 'pgcrypto', 'uuid-ossp'] LOOP
        IF EXISTS (SELECT FROM pg_available_extensions WHERE name = wanted) THEN
            BEGIN
                EXECUTE format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA extensions', wanted);
            EXCEPTION WHEN undefined_file THEN
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;

-- GraphQL's way in, as far as a declaration can name it.
CREATE FUNCTION graphql_public.graphql(
    "operationName" text DEFAULT NULL, query text DEFAULT NULL, variables jsonb DEFAULT NULL,
    extensions jsonb DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE sql
    RETURN jsonb_build_object('errors', jsonb_build_array('pg_graphql is not here'));
