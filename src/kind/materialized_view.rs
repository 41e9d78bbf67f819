//! `CREATE MATERIALIZED VIEW`. Its indexes are objects of their own; what is in it is the business of REFRESH.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kind::column::Aside;
use crate::kind::{Alter, Claim, Definition, Expr, Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaterializedView {
    pub name: QName,
    pub columns: Vec<Column>,
    /// The query, without a semicolon at its end.
    pub definition: Expr,
    pub access_method: Name,
    /// None is the database's own.
    pub tablespace: Option<Name>,
    /// Storage parameters, those of the TOAST table with `toast.` before them.
    pub options: BTreeMap<String, String>,
    /// Whether it has been filled; until then it can't be read.
    pub populated: Aside<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: Name,
    /// As `format_type` prints it, with its modifiers.
    pub data_type: String,
    /// Where it isn't the type's own.
    pub collation: Option<QName>,
    #[serde(flatten)]
    pub settings: Settings,
}

/// What ALTER COLUMN sets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Where it isn't the type's own: PLAIN, EXTERNAL, EXTENDED or MAIN.
    pub storage: Option<String>,
    pub compression: Option<String>,
    pub statistics: Option<i32>,
    /// `n_distinct` and `n_distinct_inherited`.
    pub parameters: BTreeMap<String, String>,
}

impl Settings {
    /// From these settings to others, as what follows `ALTER COLUMN name`, each with its lock.
    fn actions(&self, new: &Settings, sides: &Sides<'_>) -> Vec<(String, Lock)> {
        let mut actions = vec![];
        if self.storage != new.storage {
            // The type's own has a name only from 16 on; before, EXTENDED is what types that can be TOASTed have.
            let own = if sides.major() >= 16 { "DEFAULT" } else { "EXTENDED" };
            let to = new.storage.as_deref().unwrap_or(own);
            actions.push((format!("SET STORAGE {to}"), Lock::AccessExclusive));
        }
        if self.compression != new.compression {
            let to = new.compression.as_deref().unwrap_or("DEFAULT");
            actions.push((format!("SET COMPRESSION {to}"), Lock::AccessExclusive));
        }
        if self.statistics != new.statistics {
            let to = new.statistics.unwrap_or(-1);
            actions.push((format!("SET STATISTICS {to}"), Lock::ShareUpdateExclusive));
        }
        let (gone, set) = differing(&self.parameters, &new.parameters);
        if !gone.is_empty() {
            actions.push((format!("RESET ({})", list(gone)), Lock::ShareUpdateExclusive));
        }
        if !set.is_empty() {
            let set = list(set.into_iter().map(|(name, value)| format!("{name} = {value}")));
            actions.push((format!("SET ({set})"), Lock::ShareUpdateExclusive));
        }
        actions
    }
}

type Parameters = BTreeMap<String, String>;

/// The parameters to RESET, and those to SET.
fn differing<'a>(old: &'a Parameters, new: &'a Parameters) -> (Vec<&'a String>, Vec<(&'a String, &'a String)>) {
    let gone = old.keys().filter(|name| !new.contains_key(*name)).collect();
    let set = new.iter().filter(|(name, value)| old.get(*name) != Some(value)).collect();
    (gone, set)
}

fn parameters_sql<'a>(parameters: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    list(parameters.into_iter().map(|(name, value)| format!("{name} = {}", Literal(value))))
}

impl MaterializedView {
    fn alter_step(&self, action: impl AsRef<str>, lock: Lock) -> Step {
        Step::new(format!("ALTER MATERIALIZED VIEW {} {}", self.name, action.as_ref())).locks(&self.name, lock)
    }

    /// Whether it must be filled when it is created: also where it is only created again and could be read before.
    fn fills(&self, sides: &Sides<'_>) -> bool {
        let before = match sides.old.get(&self.id()) {
            Some(Object::MaterializedView(before)) => before.populated.0,
            _ => false,
        };
        self.populated.0 || before
    }

    /// What makes it another relation, which only CREATE can say.
    fn made_anew_for(&self, new: &MaterializedView) -> bool {
        let same = |(old, new): (&Column, &Column)| {
            (&old.name, &old.data_type, &old.collation) == (&new.name, &new.data_type, &new.collation)
        };
        self.definition != new.definition
            || self.columns.len() != new.columns.len()
            || !self.columns.iter().zip(&new.columns).all(same)
    }

    fn alter_columns(&self, new: &MaterializedView, sides: &Sides<'_>) -> Vec<Step> {
        let mut steps = vec![];
        for (old, new) in self.columns.iter().zip(&new.columns) {
            for (action, lock) in old.settings.actions(&new.settings, sides) {
                steps.push(self.alter_step(format!("ALTER COLUMN {} {action}", new.name), lock));
            }
        }
        steps
    }

    /// A statement that copies the whole relation.
    fn copied(&self, action: String, sides: &Sides<'_>) -> Step {
        let step = self.alter_step(action, Lock::AccessExclusive).rewrites(&self.name);
        if sides.may_hold_rows(&self.name) {
            step.hazard(Code::RewriteTable, self.id(), format!("{} holds rows", self.name))
        } else {
            step
        }
    }
}

impl Definition for MaterializedView {
    const NOUN: &'static str = "materialized view";

    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_class'::regclass::oid::int8, c.oid::int8, 0),
            'owner', pg_get_userbyid(c.relowner),
            'acl', (SELECT coalesce(json_agg(json_build_array(coalesce(r.rolname, ''), a.privilege_type,
                                                                a.is_grantable, pg_get_userbyid(a.grantor))
                                              ORDER BY r.rolname, a.privilege_type), '[]')
                      FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
                      LEFT JOIN pg_roles r ON r.oid = a.grantee),
            'def', json_build_object(
                'name', json_build_array(n.nspname, c.relname),
                'columns', coalesce(
                    (SELECT json_agg(json_build_object(
                                'name', a.attname,
                                'data_type', format_type(a.atttypid, a.atttypmod),
                                'collation', CASE WHEN a.attcollation <> t.typcollation
                                                  THEN json_build_array(cn.nspname, co.collname) END,
                                'storage', CASE WHEN a.attstorage <> t.typstorage
                                                THEN CASE a.attstorage
                                                     WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                                                     WHEN 'x' THEN 'EXTENDED' WHEN 'm' THEN 'MAIN' END END,
                                'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
                                'statistics', nullif(a.attstattarget, -1),
                                'parameters', coalesce(
                                    (SELECT json_object_agg(split_part(o, '=', 1), substr(o, strpos(o, '=') + 1))
                                       FROM unnest(a.attoptions) o), '{}')) ORDER BY a.attnum)
                       FROM pg_attribute a
                       JOIN pg_type t ON t.oid = a.atttypid
                       LEFT JOIN pg_collation co ON co.oid = a.attcollation
                       LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
                'definition', rtrim(pg_get_viewdef(c.oid), ';'),
                'access_method', am.amname,
                'tablespace', ts.spcname,
                'options', coalesce(
                    (SELECT json_object_agg(o.prefix || split_part(o.option, '=', 1),
                                             substr(o.option, strpos(o.option, '=') + 1))
                       FROM (SELECT '' AS prefix, unnest(c.reloptions) AS option
                             UNION ALL SELECT 'toast.', unnest(toast.reloptions)) o), '{}'),
                'populated', c.relispopulated))
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_am am ON am.oid = c.relam
          LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
          LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid AND toast.reloptions IS NOT NULL
         WHERE c.relkind = 'm'
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.objsubid = 0 AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::MaterializedView, [&self.name.namespace, &self.name.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("MATERIALIZED VIEW {}", super::dotted(path))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![super::relation_claim(&self.name), super::type_claim(&self.name)]
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Replace | Disturbance::Swap => false,
        }
    }

    fn reads(&self, _column: &ObjectId) -> bool {
        true
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        let mut sql = format!("CREATE MATERIALIZED VIEW {}", self.name);
        if self.access_method.as_str() != "heap" {
            sql += &format!(" USING {}", self.access_method);
        }
        if !self.options.is_empty() {
            sql += &format!(" WITH ({})", parameters_sql(&self.options));
        }
        if let Some(tablespace) = &self.tablespace {
            sql += &format!(" TABLESPACE {tablespace}");
        }
        sql += &format!(" AS\n{}", self.definition);
        if !self.fills(sides) {
            sql += "\nWITH NO DATA";
        }
        let mut steps = vec![Step::new(sql)];
        for column in &self.columns {
            for (action, lock) in Settings::default().actions(&column.settings, sides) {
                steps.push(self.alter_step(format!("ALTER COLUMN {} {action}", column.name), lock));
            }
        }
        steps
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        if self.made_anew_for(new) || (self.access_method != new.access_method && sides.major() < 15) {
            return Alter::Replace;
        }
        let mut steps = vec![];
        if self.access_method != new.access_method {
            steps.push(self.copied(format!("SET ACCESS METHOD {}", new.access_method), sides));
        }
        if self.tablespace != new.tablespace {
            let to = new.tablespace.clone().unwrap_or_else(|| "pg_default".into());
            steps.push(self.copied(format!("SET TABLESPACE {to}"), sides));
        }
        let (gone, set) = differing(&self.options, &new.options);
        if !gone.is_empty() {
            steps.push(self.alter_step(format!("RESET ({})", list(gone)), Lock::ShareUpdateExclusive));
        }
        if !set.is_empty() {
            steps.push(self.alter_step(format!("SET ({})", parameters_sql(set)), Lock::ShareUpdateExclusive));
        }
        steps.extend(self.alter_columns(new, sides));
        Alter::Steps(steps)
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let why = if sides.new.contains(&self.id()) {
            format!("{} is locked against reads until it is filled again", self.name)
        } else {
            format!("{} is dropped", self.name)
        };
        vec![
            Step::new(format!("DROP MATERIALIZED VIEW {}", self.name))
                .stage(Stage::Contract)
                .locks(&self.name, Lock::AccessExclusive)
                .hazard(Code::DropMaterializedView, self.id(), why),
        ]
    }
}
