//! Objects of kinds that are not managed: found and named, never changed.

/// A query with one text column: each object of the database's users that no kind describes, as in
/// `operator public.@@@(text,text)`. Names only: options of servers and subscriptions can hold passwords.
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
        UNION ALL SELECT 'pg_user_mapping'::regclass, umid FROM pg_user_mappings)
    SELECT i.type || ' ' || i.identity
      FROM found f
      CROSS JOIN LATERAL pg_identify_object(f.catalog, f.object, 0) i
     WHERE f.object >= 16384
       AND (i.schema IS NULL OR (i.schema !~ '^pg_' AND i.schema <> 'information_schema'))
       AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = f.catalog AND d.objid = f.object AND d.deptype IN ('e', 'i'))
    UNION ALL
    SELECT format('security label of %s on %s %s', l.provider, i.type, i.identity)
      FROM pg_seclabel l
      CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) i
     WHERE l.objoid >= 16384
    UNION ALL
    -- From 17 on, NOT NULL is a constraint, and can have a comment.
    SELECT 'comment on ' || i.type || ' ' || i.identity
      FROM pg_constraint nn
      JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = nn.oid
      CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, 0) i
     WHERE nn.contype = 'n' AND nn.oid >= 16384
    UNION ALL
    SELECT 'subscription ' || quote_ident(s.subname)
      FROM pg_subscription s
      JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database()
     ORDER BY 1"#;
