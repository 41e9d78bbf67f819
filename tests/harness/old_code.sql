-- What code that knows a database by its old schema does with it, but for the tables in $1: statements that leave every
-- row as it was.
WITH theirs AS (
    SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), extensions AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), idle AS (
    SELECT oid FROM pg_class WHERE format('%s.%s', relnamespace::regnamespace, relname) = ANY ($1::text[])
), relations AS (
    SELECT c.oid, c.relkind, format('%I.%I', c.relnamespace::regnamespace::text, c.relname) AS name,
           string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) AS all,
           string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS given,
           string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum)
               FILTER (WHERE a.attgenerated = '' AND a.attidentity = '' AND NOT a.atthasdef) AS undefaulted,
           string_agg(format('%I = %1$I', a.attname), ', ' ORDER BY a.attnum)
               FILTER (WHERE a.attgenerated = '' AND a.attidentity <> 'a') AS same,
           min(a.attname) FILTER (WHERE a.attgenerated = '' AND a.attidentity <> 'a') AS one
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace IN (SELECT oid FROM theirs) AND c.relkind IN ('r', 'p', 'v', 'm')
       AND c.oid NOT IN (SELECT oid FROM idle)
       AND ('pg_class'::regclass, c.oid) NOT IN (SELECT * FROM extensions)
     GROUP BY c.oid
), roles AS (
    SELECT oid, format('SET LOCAL ROLE %I; ', rolname) AS become FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolsuper
     UNION ALL SELECT NULL, ''
)
SELECT become || format('SELECT %s FROM %s', "all", name)
  FROM relations, roles WHERE roles.oid IS NULL OR has_table_privilege(roles.oid, relations.oid, 'SELECT')
 UNION ALL
SELECT become || format('UPDATE %s SET %s', name, same)
  FROM relations, roles
 WHERE relkind <> 'm' AND same <> '' AND (roles.oid IS NULL OR has_table_privilege(roles.oid, relations.oid, 'UPDATE'))
 UNION ALL
SELECT format('WITH gone AS (DELETE FROM %s RETURNING %s) INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE SELECT * FROM gone',
              name, given)
  FROM relations WHERE relkind IN ('r', 'p') AND given <> ''
 UNION ALL
SELECT format('WITH gone AS (DELETE FROM %s RETURNING %s) INSERT INTO %1$s (%2$s) SELECT * FROM gone', name, undefaulted)
  FROM relations WHERE relkind IN ('r', 'p', 'v') AND undefaulted <> ''
 UNION ALL
SELECT format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %1$s ON CONFLICT (%3$s) DO UPDATE SET %4$s RETURNING 1',
              name, given,
              (SELECT string_agg(format('%I', attname), ', ')
                 FROM pg_attribute WHERE attrelid = relations.oid AND attnum = ANY (indkey) AND attnum > 0),
              format('%I = excluded.%1$I', coalesce(one, '')))
  FROM relations JOIN pg_index ON indrelid = oid
 WHERE one <> '' AND indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL AND indnkeyatts = indnatts
 UNION ALL
SELECT format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %1$s ON CONFLICT ON CONSTRAINT %I DO UPDATE SET %s RETURNING 1',
              name, given, conname, format('%I = excluded.%1$I', coalesce(one, '')))
  FROM relations JOIN pg_constraint ON conrelid = relations.oid
 WHERE one <> '' AND contype IN ('p', 'u')
 UNION ALL
SELECT format('SELECT count(*) FROM (SELECT %I.%I(%s) OFFSET 0) AS called', pronamespace::regnamespace::text, proname,
              (SELECT string_agg('NULL::' || format_type(it, NULL), ', ' ORDER BY place)
                 FROM unnest(proargtypes) WITH ORDINALITY AS arguments (it, place)))
  FROM pg_proc p
 WHERE pronamespace IN (SELECT oid FROM theirs) AND prokind = 'f'
   AND ('pg_proc'::regclass, p.oid) NOT IN (SELECT * FROM extensions)
 UNION ALL
SELECT format('SELECT %L::%s', enumlabel, format_type(enumtypid, NULL)) FROM pg_enum
 UNION ALL
SELECT format('SELECT NULL::%s', format_type(t.oid, NULL))
  FROM pg_type t
 WHERE typnamespace IN (SELECT oid FROM theirs) AND typtype IN ('c', 'd', 'r', 'm') AND typrelid NOT IN (SELECT oid FROM idle)
   AND ('pg_type'::regclass, t.oid) NOT IN (SELECT * FROM extensions)
 UNION ALL
SELECT format('SELECT nextval(%L)', format('%I.%I', relnamespace::regnamespace::text, relname))
  FROM pg_class
 WHERE relnamespace IN (SELECT oid FROM theirs) AND relkind = 'S'
 ORDER BY 1
