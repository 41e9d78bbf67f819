-- A stand-in for Citus on the shadow: its functions under their names, which look in the catalogs for what Citus's
-- documentation and its messages demand, and write down what is distributed. No row goes anywhere.

SET allow_system_table_mods = on;

CREATE TABLE pg_catalog.pg_dist_partition (
    logicalrelid regclass PRIMARY KEY,
    partmethod "char" NOT NULL,
    partkey text,
    colocationid integer NOT NULL
);
GRANT SELECT ON pg_catalog.pg_dist_partition TO PUBLIC;

-- What keeps a table from being distributed by a column; without one, from being a reference table.
CREATE FUNCTION pg_catalog.tenantry_citus_refuses(relation regclass, key name) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT string_agg(why, '; ' ORDER BY why) FROM (
        SELECT format('%s does not contain the distribution column %I', i.indexrelid::regclass, key)
          FROM pg_index i
         WHERE key IS NOT NULL AND i.indrelid = relation AND (i.indisunique OR i.indisexclusion)
           AND NOT EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = relation AND a.attname = key AND a.attnum = ANY (i.indkey))
        UNION ALL
        SELECT format('foreign key %I leads to %s, which is not distributed', c.conname, c.confrelid::regclass)
          FROM pg_constraint c
         WHERE c.contype = 'f' AND c.conrelid = relation AND c.confrelid <> relation AND c.conparentid = 0
           AND NOT EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = c.confrelid)
        UNION ALL
        SELECT format('foreign key %I leads from a reference table to distributed table %s', c.conname,
                      c.confrelid::regclass)
          FROM pg_constraint c JOIN pg_dist_partition d ON d.logicalrelid = c.confrelid
         WHERE key IS NULL AND c.contype = 'f' AND c.conrelid = relation AND d.partmethod = 'h'
        UNION ALL
        SELECT format('foreign key %I does not carry the distribution column on both ends', c.conname)
          FROM pg_constraint c JOIN pg_dist_partition d ON d.logicalrelid = c.confrelid
         WHERE key IS NOT NULL AND c.contype = 'f' AND c.conrelid = relation AND d.partmethod = 'h'
           AND NOT EXISTS (SELECT FROM unnest(c.conkey, c.confkey) AS pair (own, other)
                             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = pair.own AND a.attname = key
                             JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = pair.other
                                                AND b.attname::text = d.partkey)
        UNION ALL
        SELECT format('policy %I has a subquery', p.polname)
          FROM pg_policy p
         WHERE p.polrelid = relation
           AND concat(p.polqual, p.polwithcheck) LIKE '%{SUBLINK %'
        UNION ALL
        SELECT format('rule %I', r.rulename) FROM pg_rewrite r WHERE r.ev_class = relation
        UNION ALL
        SELECT 'it is a partition: its whole is what is distributed' FROM pg_class c
         WHERE c.oid = relation AND c.relispartition
    ) AS refused (why)
$$;

CREATE FUNCTION pg_catalog.create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
    colocate_with text DEFAULT 'default'
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    why text := tenantry_citus_refuses(table_name, distribution_column::name);
    other record;
BEGIN
    EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', table_name);
    IF why IS NOT NULL THEN
        RAISE EXCEPTION 'cannot distribute %: %', table_name, why USING ERRCODE = 'feature_not_supported';
    END IF;
    IF colocate_with NOT IN ('default', 'none') THEN
        SELECT a.atttypid = b.atttypid AS same INTO other
          FROM pg_dist_partition d
          JOIN pg_attribute a ON a.attrelid = d.logicalrelid AND a.attname::text = d.partkey
          JOIN pg_attribute b ON b.attrelid = table_name AND b.attname::text = distribution_column
         WHERE d.logicalrelid = colocate_with::regclass;
        IF other.same IS NOT TRUE THEN
            RAISE EXCEPTION 'cannot colocate tables % and %', colocate_with, table_name
                USING DETAIL = 'The other is not distributed, or by a column of another type.';
        END IF;
    END IF;
    INSERT INTO pg_dist_partition VALUES (table_name, 'h', distribution_column, 1);
END $$;

CREATE FUNCTION pg_catalog.create_reference_table(table_name regclass) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    why text := tenantry_citus_refuses(table_name, NULL);
BEGIN
    EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', table_name);
    IF why IS NOT NULL THEN
        RAISE EXCEPTION 'cannot make % a reference table: %', table_name, why USING ERRCODE = 'feature_not_supported';
    END IF;
    INSERT INTO pg_dist_partition VALUES (table_name, 'n', NULL, 2);
END $$;

CREATE FUNCTION pg_catalog.undistribute_table(table_name regclass, cascade_via_foreign_keys boolean DEFAULT false)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
    AS 'DELETE FROM pg_dist_partition WHERE logicalrelid = table_name';

RESET allow_system_table_mods;
