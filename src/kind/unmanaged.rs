//! Objects of kinds that are not managed: found and named, never changed.

use std::collections::BTreeSet;

use crate::kind::ObjectId;

/// Something that no kind describes, and what it stands on among the objects of kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct Unmanaged {
    pub name: String,
    pub needs: BTreeSet<ObjectId>,
    /// It is said of the one object that it needs, and goes with it: lost only where that comes again.
    pub is_of: bool,
}

/// A query for each object of the database's users that no kind describes: its name, as in
/// `operator public.@@@(text,text)`, and the statements that make one like it, for copies and to tell whether it is
/// declared otherwise, where they can be told from the catalogs; where it stands in pg_depend, or what it is said of, and
/// which of the two that is. In the options of what is foreign, the values of those
/// that may be secrets are left out; a subscription has none of its options.
pub const UNMANAGED: &str = r#"
    WITH found(catalog, object) AS (
        SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relkind = 'f'
        UNION ALL
        SELECT 'pg_type'::regclass, oid FROM pg_type
         WHERE typtype IN ('b', 'p') AND typcategory <> 'A'
        UNION ALL SELECT 'pg_type'::regclass, rngtypid FROM pg_range WHERE rngcanonical <> 0
        UNION ALL
        SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
         WHERE r.rulename <> '_RETURN' AND c.relkind NOT IN ('r', 'p', 'v')
        UNION ALL
        SELECT 'pg_statistic_ext'::regclass, s.oid FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid
         WHERE c.relkind NOT IN ('r', 'p', 'm')
        UNION ALL
        SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
         WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND c.relkind NOT IN ('r', 'p', 'v')
        UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE prokind = 'a'
        UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger
        UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator
        UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass
        UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily
        UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation
        UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion
        UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config
        UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
        UNION ALL SELECT 'pg_ts_parser'::regclass, oid FROM pg_ts_parser
        UNION ALL SELECT 'pg_ts_template'::regclass, oid FROM pg_ts_template
        UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
        UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform
        UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language
        UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am
        UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
        UNION ALL SELECT 'pg_user_mapping'::regclass, umid FROM pg_user_mappings),
    -- Of a class, what it can't be without; of a family, what was added to it.
    member(catalog, object, place, sql) AS (
        SELECT d.refclassid, d.refobjid, 2 * o.amopstrategy,
               format('OPERATOR %s %s%s', o.amopstrategy, o.amopopr::regoperator,
                      (SELECT format(' FOR ORDER BY %I.%I', fn.nspname, f.opfname)
                         FROM pg_opfamily f JOIN pg_namespace fn ON fn.oid = f.opfnamespace
                        WHERE f.oid = o.amopsortfamily))
          FROM pg_amop o
          JOIN pg_depend d ON d.classid = 'pg_amop'::regclass AND d.objid = o.oid
         WHERE o.oid >= 16384
           AND (d.refclassid = 'pg_opclass'::regclass OR (d.refclassid = 'pg_opfamily'::regclass AND d.deptype = 'a'))
        UNION ALL
        SELECT d.refclassid, d.refobjid, 2 * p.amprocnum + 1,
               format('FUNCTION %s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, NULL),
                      format_type(p.amprocrighttype, NULL), p.amproc::regprocedure)
          FROM pg_amproc p
          JOIN pg_depend d ON d.classid = 'pg_amproc'::regclass AND d.objid = p.oid
         WHERE p.oid >= 16384
           AND (d.refclassid = 'pg_opclass'::regclass OR (d.refclassid = 'pg_opfamily'::regclass AND d.deptype = 'a'))),
    members(catalog, object, sql) AS (
        SELECT catalog, object, string_agg(sql, ', ' ORDER BY place, sql) FROM member GROUP BY catalog, object),
    made(catalog, object, sql) AS (
        SELECT 'pg_opclass'::regclass, c.oid,
               format('CREATE OPERATOR CLASS %I.%I%s FOR TYPE %s USING %I FAMILY %I.%I AS %sSTORAGE %s',
                      n.nspname, c.opcname, CASE WHEN c.opcdefault THEN ' DEFAULT' END, format_type(c.opcintype, NULL),
                      a.amname, fn.nspname, f.opfname, m.sql || ', ',
                      format_type(coalesce(nullif(c.opckeytype, 0), c.opcintype), NULL))
          FROM pg_opclass c
          JOIN pg_namespace n ON n.oid = c.opcnamespace
          JOIN pg_am a ON a.oid = c.opcmethod
          JOIN pg_opfamily f ON f.oid = c.opcfamily
          JOIN pg_namespace fn ON fn.oid = f.opfnamespace
          LEFT JOIN members m ON m.catalog = 'pg_opclass'::regclass AND m.object = c.oid
         WHERE c.oid >= 16384
        UNION ALL
        SELECT 'pg_opfamily'::regclass, f.oid,
               format('CREATE OPERATOR FAMILY %1$I.%2$I USING %3$I', n.nspname, f.opfname, a.amname)
               || coalesce(format('; ALTER OPERATOR FAMILY %1$I.%2$I USING %3$I ADD ', n.nspname, f.opfname, a.amname)
                           || m.sql, '')
          FROM pg_opfamily f
          JOIN pg_namespace n ON n.oid = f.opfnamespace
          JOIN pg_am a ON a.oid = f.opfmethod
          LEFT JOIN members m ON m.catalog = 'pg_opfamily'::regclass AND m.object = f.oid
         WHERE f.oid >= 16384
        UNION ALL
        SELECT 'pg_collation'::regclass, c.oid,
               format('CREATE COLLATION %I.%I (PROVIDER = %s, %s, DETERMINISTIC = %s%s)', n.nspname, c.collname,
                      CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
                      CASE c.collprovider
                      WHEN 'c' THEN format('LC_COLLATE = %L, LC_CTYPE = %L', c.collcollate, c.collctype)
                      -- The column's name is that of 17 on, of 15 and 16, and of 14.
                      ELSE format('LOCALE = %L', coalesce(j ->> 'colllocale', j ->> 'colliculocale', c.collcollate))
                      END,
                      CASE WHEN c.collisdeterministic THEN 'true' ELSE 'false' END,
                      CASE WHEN j ->> 'collicurules' <> '' THEN format(', RULES = %L', j ->> 'collicurules') END)
          FROM pg_collation c
          JOIN pg_namespace n ON n.oid = c.collnamespace
          CROSS JOIN LATERAL to_jsonb(c) j
         WHERE c.oid >= 16384
        UNION ALL
        SELECT 'pg_ts_dict'::regclass, d.oid,
               format('CREATE TEXT SEARCH DICTIONARY %I.%I (TEMPLATE = %I.%I%s)', n.nspname, d.dictname,
                      tn.nspname, t.tmplname, ', ' || d.dictinitoption)
          FROM pg_ts_dict d
          JOIN pg_namespace n ON n.oid = d.dictnamespace
          JOIN pg_ts_template t ON t.oid = d.dicttemplate
          JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
         WHERE d.oid >= 16384
        UNION ALL
        SELECT 'pg_ts_config'::regclass, c.oid,
               format('CREATE TEXT SEARCH CONFIGURATION %I.%I (PARSER = %I.%I)', n.nspname, c.cfgname,
                      pn.nspname, p.prsname)
               || coalesce((
                    SELECT string_agg(format('; ALTER TEXT SEARCH CONFIGURATION %I.%I ADD MAPPING FOR %I WITH %s',
                                             n.nspname, c.cfgname, t.alias, m.dictionaries), '' ORDER BY t.tokid)
                      FROM (SELECT maptokentype,
                                   string_agg(format('%I.%I', dn.nspname, d.dictname), ', ' ORDER BY mapseqno)
                              FROM pg_ts_config_map
                              JOIN pg_ts_dict d ON d.oid = mapdict
                              JOIN pg_namespace dn ON dn.oid = d.dictnamespace
                             WHERE mapcfg = c.oid
                             GROUP BY maptokentype) m(token, dictionaries)
                      JOIN ts_token_type(c.cfgparser) t ON t.tokid = m.token), '')
          FROM pg_ts_config c
          JOIN pg_namespace n ON n.oid = c.cfgnamespace
          JOIN pg_ts_parser p ON p.oid = c.cfgparser
          JOIN pg_namespace pn ON pn.oid = p.prsnamespace
         WHERE c.oid >= 16384
        UNION ALL
        SELECT 'pg_proc'::regclass, p.oid,
               format('CREATE AGGREGATE %I.%I (%s) (%s)', n.nspname, p.proname,
                      coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'),
                      concat_ws(', ', 'SFUNC = ' || a.aggtransfn, 'STYPE = ' || format_type(a.aggtranstype, NULL),
                          'SSPACE = ' || nullif(a.aggtransspace, 0),
                          'INITCOND = ' || quote_literal(a.agginitval),
                          CASE WHEN a.aggfinalfn <> 0 THEN 'FINALFUNC = ' || a.aggfinalfn END,
                          CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
                          'FINALFUNC_MODIFY = ' || CASE a.aggfinalmodify WHEN 'r' THEN 'READ_ONLY'
                                                   WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END,
                          CASE WHEN a.aggcombinefn <> 0 THEN 'COMBINEFUNC = ' || a.aggcombinefn END,
                          CASE WHEN a.aggserialfn <> 0 THEN 'SERIALFUNC = ' || a.aggserialfn END,
                          CASE WHEN a.aggdeserialfn <> 0 THEN 'DESERIALFUNC = ' || a.aggdeserialfn END,
                          CASE WHEN a.aggmtransfn <> 0 THEN 'MSFUNC = ' || a.aggmtransfn END,
                          CASE WHEN a.aggminvtransfn <> 0 THEN 'MINVFUNC = ' || a.aggminvtransfn END,
                          CASE WHEN a.aggmtranstype <> 0 THEN 'MSTYPE = ' || format_type(a.aggmtranstype, NULL) END,
                          'MSSPACE = ' || nullif(a.aggmtransspace, 0),
                          'MINITCOND = ' || quote_literal(a.aggminitval),
                          CASE WHEN a.aggmfinalfn <> 0 THEN 'MFINALFUNC = ' || a.aggmfinalfn END,
                          CASE WHEN a.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
                          CASE WHEN a.aggmtransfn <> 0
                               THEN 'MFINALFUNC_MODIFY = ' || CASE a.aggmfinalmodify WHEN 'r' THEN 'READ_ONLY'
                                                              WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END,
                          'SORTOP = ' || (SELECT format('OPERATOR(%I.%s)', sn.nspname, so.oprname)
                                            FROM pg_operator so JOIN pg_namespace sn ON sn.oid = so.oprnamespace
                                           WHERE so.oid = a.aggsortop),
                          'PARALLEL = ' || CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED'
                                           ELSE 'UNSAFE' END,
                          CASE WHEN a.aggkind = 'h' THEN 'HYPOTHETICAL' END))
          FROM pg_aggregate a
          JOIN pg_proc p ON p.oid = a.aggfnoid
          JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.oid >= 16384
        UNION ALL
        SELECT 'pg_operator'::regclass, o.oid,
               format('CREATE OPERATOR %I.%s (%s)', n.nspname, o.oprname,
                      concat_ws(', ', 'FUNCTION = ' || o.oprcode,
                          CASE WHEN o.oprleft <> 0 THEN 'LEFTARG = ' || format_type(o.oprleft, NULL) END,
                          CASE WHEN o.oprright <> 0 THEN 'RIGHTARG = ' || format_type(o.oprright, NULL) END,
                          'COMMUTATOR = ' || (SELECT format('OPERATOR(%I.%s)', rn.nspname, ro.oprname)
                                                FROM pg_operator ro JOIN pg_namespace rn ON rn.oid = ro.oprnamespace
                                               WHERE ro.oid = o.oprcom),
                          'NEGATOR = ' || (SELECT format('OPERATOR(%I.%s)', rn.nspname, ro.oprname)
                                             FROM pg_operator ro JOIN pg_namespace rn ON rn.oid = ro.oprnamespace
                                            WHERE ro.oid = o.oprnegate),
                          CASE WHEN o.oprrest <> 0 THEN 'RESTRICT = ' || o.oprrest END,
                          CASE WHEN o.oprjoin <> 0 THEN 'JOIN = ' || o.oprjoin END,
                          CASE WHEN o.oprcanhash THEN 'HASHES' END,
                          CASE WHEN o.oprcanmerge THEN 'MERGES' END))
          FROM pg_operator o
          JOIN pg_namespace n ON n.oid = o.oprnamespace
         WHERE o.oid >= 16384 AND o.oprcode <> 0
        UNION ALL
        SELECT 'pg_cast'::regclass, c.oid,
               format('CREATE CAST (%s AS %s) %s%s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL),
                      CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure
                                        WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END,
                      CASE c.castcontext WHEN 'i' THEN ' AS IMPLICIT' WHEN 'a' THEN ' AS ASSIGNMENT' END)
          FROM pg_cast c
         WHERE c.oid >= 16384
        UNION ALL
        SELECT 'pg_am'::regclass, a.oid,
               format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', a.amname,
                      CASE a.amtype WHEN 't' THEN 'TABLE' ELSE 'INDEX' END, a.amhandler)
          FROM pg_am a
         WHERE a.oid >= 16384
        UNION ALL
        SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, format('CREATE FOREIGN DATA WRAPPER %I', w.fdwname)
          FROM pg_foreign_data_wrapper w
         WHERE w.oid >= 16384
        UNION ALL
        SELECT 'pg_foreign_server'::regclass, s.oid,
               format('CREATE SERVER %I%s%s FOREIGN DATA WRAPPER %I%s', s.srvname,
                      ' TYPE ' || quote_literal(s.srvtype), ' VERSION ' || quote_literal(s.srvversion), w.fdwname,
                      (SELECT ' OPTIONS (' || string_agg(format('%I %L', option_name, shown), ', ' ORDER BY option_name) || ')'
                         FROM pg_options_to_table(s.srvoptions)
                         CROSS JOIN LATERAL (SELECT CASE WHEN option_name ~* 'pass|secret|token|key|cred|cert'
                                                         THEN '********' ELSE option_value END) o(shown)))
          FROM pg_foreign_server s
          JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
         WHERE s.oid >= 16384
        UNION ALL
        -- Who may not see the options sees none.
        SELECT 'pg_user_mapping'::regclass, m.umid,
               format('CREATE USER MAPPING FOR %s SERVER %I%s',
                      CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END, m.srvname,
                      (SELECT ' OPTIONS (' || string_agg(format('%I %L', option_name, shown), ', ' ORDER BY option_name) || ')'
                         FROM pg_options_to_table(m.umoptions)
                         CROSS JOIN LATERAL (SELECT CASE WHEN option_name ~* 'pass|secret|token|key|cred|cert'
                                                         THEN '********' ELSE option_value END) o(shown)))
          FROM pg_user_mappings m
         WHERE m.umoptions IS NOT NULL
        UNION ALL
        SELECT 'pg_class'::regclass, c.oid,
               format('CREATE FOREIGN TABLE %I.%I (%s) SERVER %I%s', n.nspname, c.relname,
                      (SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                                                CASE WHEN a.attnotnull THEN ' NOT NULL' END), ', ' ORDER BY a.attnum)
                         FROM pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                      s.srvname,
                      (SELECT ' OPTIONS (' || string_agg(format('%I %L', option_name, shown), ', ' ORDER BY option_name) || ')'
                         FROM pg_options_to_table(t.ftoptions)
                         CROSS JOIN LATERAL (SELECT CASE WHEN option_name ~* 'pass|secret|token|key|cred|cert'
                                                         THEN '********' ELSE option_value END) o(shown)))
          FROM pg_foreign_table t
          JOIN pg_class c ON c.oid = t.ftrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_foreign_server s ON s.oid = t.ftserver)
    SELECT i.type || ' ' || i.identity, made.sql, f.catalog::oid, f.object, 0, false
      FROM found f
      LEFT JOIN made ON made.catalog = f.catalog AND made.object = f.object
      CROSS JOIN LATERAL pg_identify_object(f.catalog, f.object, 0) i
     WHERE f.object >= 16384
       AND (i.schema IS NULL OR (i.schema !~ '^pg_' AND i.schema <> 'information_schema'))
       AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = f.catalog AND d.objid = f.object AND d.deptype IN ('e', 'i'))
    UNION ALL
    SELECT format('security label of %s on %s %s', l.provider, i.type, i.identity), NULL,
           l.classoid, l.objoid, l.objsubid, true
      FROM pg_seclabel l
      CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) i
     WHERE l.objoid >= 16384
    UNION ALL
    -- That by an index is the index's.
    SELECT 'replica identity of ' || i.type || ' ' || i.identity, NULL, 'pg_class'::regclass::oid, c.oid, 0, true
      FROM pg_class c
      CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, c.oid, 0) i
     WHERE c.relkind = 'm' AND c.relreplident IN ('f', 'n') AND c.oid >= 16384
    UNION ALL
    SELECT 'subscription ' || quote_ident(s.subname), NULL, 'pg_subscription'::regclass::oid, s.oid, 0, false
      FROM pg_subscription s
      JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database()
     ORDER BY 1"#;
