//! `CREATE VIEW`, recursive ones too: the server keeps these as `WITH RECURSIVE`. Its columns are no objects of their
//! own; comments and grants on them hang on the view.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize, Serializer};

use crate::kind::{canonical, Alter, Claim, Definition, Expr, Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub name: QName,
    pub columns: Vec<Column>,
    /// The query, without a semicolon at its end.
    pub definition: Expr,
    #[serde(flatten)]
    pub options: Options,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: Name,
    /// As `format_type` prints it, with its modifiers.
    pub data_type: String,
    /// Where it isn't the type's own.
    pub collation: Option<QName>,
    /// What an INSERT through the view stores where it leaves the column out.
    pub default: Option<Expr>,
}

impl Column {
    /// Whether CREATE OR REPLACE VIEW can leave the old column in place for the new one.
    fn is_kept_by(&self, new: &Column) -> bool {
        let Column { name, data_type, collation, default: _ } = self;
        (name, data_type, collation) == (&new.name, &new.data_type, &new.collation)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    pub security_barrier: Flag,
    /// The view reads its tables with the rights, and the row security, of who queries it.
    pub security_invoker: Flag,
    pub check_option: Option<CheckOption>,
}

/// A boolean option in the words of who set it, if anyone did. The same as another when both are on or both off.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Flag(pub Option<String>);

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if canonical() { self.is_on().serialize(serializer) } else { self.0.serialize(serializer) }
    }
}

impl Flag {
    /// As the server reads booleans: `true` and `yes` down to their first letter, `on`, `1`.
    pub fn is_on(&self) -> bool {
        let Some(word) = self.0.as_ref().map(|it| it.to_ascii_lowercase()).filter(|it| !it.is_empty()) else {
            return false;
        };
        ["true", "yes"].into_iter().any(|it| it.starts_with(&word)) || word == "on" || word == "1"
    }

    /// The word, where it isn't the default.
    fn said(&self) -> Option<&str> {
        self.0.as_deref().filter(|_| self.is_on())
    }
}

impl PartialEq for Flag {
    fn eq(&self, other: &Self) -> bool {
        self.is_on() == other.is_on()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOption {
    Local,
    Cascaded,
}

impl Options {
    /// The options as WITH, SET and RESET take them, each with its value where it is not the default.
    fn all(&self) -> [(&'static str, Option<&str>); 3] {
        let check_option = self.check_option.map(|it| match it {
            CheckOption::Local => "local",
            CheckOption::Cascaded => "cascaded",
        });
        [
            ("security_invoker", self.security_invoker.said()),
            ("security_barrier", self.security_barrier.said()),
            ("check_option", check_option),
        ]
    }

    /// ` WITH (…)`, or nothing. CREATE OR REPLACE takes away what is not said, so this says all of them.
    fn with(&self) -> String {
        let said: Vec<String> =
            self.all().into_iter().filter_map(|(name, value)| Some(format!("{name} = {}", value?))).collect();
        if said.is_empty() { String::new() } else { format!(" WITH ({})", list(said)) }
    }
}

impl View {
    fn sql(&self, create: &str) -> String {
        format!("{create} VIEW {}{} AS\n{}", self.name, self.options.with(), self.definition)
    }

    fn alter_view(&self, action: impl AsRef<str>) -> Step {
        Step::new(format!("ALTER VIEW {} {}", self.name, action.as_ref())).locks(&self.name, Lock::AccessExclusive)
    }

    fn alter_options(&self, new: &Options) -> Vec<Step> {
        let changed = [
            self.options.security_invoker != new.security_invoker,
            self.options.security_barrier != new.security_barrier,
            self.options.check_option != new.check_option,
        ];
        let changes = || new.all().into_iter().zip(changed).filter(|(_, changed)| *changed).map(|(option, _)| option);
        let set: Vec<String> =
            changes().filter_map(|(name, value)| Some(format!("{name} = {}", value?))).collect();
        let reset: Vec<&str> =
            changes().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        let mut steps = vec![];
        // What protects comes first.
        if !set.is_empty() {
            steps.push(self.alter_view(format!("SET ({})", list(set))));
        }
        if !reset.is_empty() {
            steps.push(self.alter_view(format!("RESET ({})", list(reset))));
        }
        steps
    }

    fn alter_defaults(&self, new: &[Column]) -> Vec<Step> {
        let before = |name: &Name| self.columns.iter().find(|it| it.name == *name).and_then(|it| it.default.as_ref());
        let changed = new.iter().filter(|it| before(&it.name) != it.default.as_ref());
        changed
            .map(|column| {
                let action = match &column.default {
                    Some(default) => format!("SET DEFAULT {default}"),
                    None => "DROP DEFAULT".to_owned(),
                };
                self.alter_view(format!("ALTER COLUMN {} {action}", column.name))
            })
            .collect()
    }

    /// The tables with row security that the view reads as its owner, so past the policies for its readers.
    fn passes_row_security_of<'a>(&self, schema: &'a Schema) -> BTreeSet<&'a [Name]> {
        if self.options.security_invoker.is_on() {
            return BTreeSet::new();
        }
        schema
            .needs_of(&self.id())
            .filter(|need| matches!(need.kind, Kind::Table | Kind::Column))
            .filter_map(|need| need.path.get(..2))
            .filter(|path| {
                let id = ObjectId { kind: Kind::RowSecurity, path: (*path).into() };
                matches!(schema.get(&id), Some(Object::RowSecurity(it)) if it.enabled)
            })
            .collect()
    }

    /// Adds to the step what changes for those who read the view. `old` is the view before, if there was one.
    fn exposing(&self, old: Option<&View>, step: Step, sides: &Sides<'_>) -> Step {
        if old.is_some_and(|old| old.options.security_invoker.is_on()) && !self.options.security_invoker.is_on() {
            let why = "its readers get the rights of the view's owner, and see what row security hides from them";
            return step.hazard(Code::RowSecurityLoosened, self.id(), why);
        }
        let known = old.map(|old| old.passes_row_security_of(sides.old)).unwrap_or_default();
        let passed: Vec<String> = self
            .passes_row_security_of(sides.new)
            .into_iter()
            .filter(|path| !known.contains(path))
            .map(super::dotted)
            .collect();
        if passed.is_empty() {
            return step;
        }
        let why = format!("its readers see past the row security of {}", list(passed));
        step.hazard(Code::ViewRunsAsOwner, self.id(), why)
    }
}

/// The view of that id in a schema.
fn find<'a>(schema: &'a Schema, id: &ObjectId) -> Option<&'a View> {
    match schema.get(id) {
        Some(Object::View(view)) => Some(view),
        _ => None,
    }
}

impl Definition for View {
    const NOUN: &'static str = "view";

    // The server prints a query with the view's own names for its columns, so these are not said again.
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
                                'default', pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum)
                       FROM pg_attribute a
                       JOIN pg_type t ON t.oid = a.atttypid
                       LEFT JOIN pg_collation co ON co.oid = a.attcollation
                       LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
                       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
                'definition', rtrim(pg_get_viewdef(c.oid), ';'),
                'security_barrier', o.security_barrier,
                'security_invoker', o.security_invoker,
                'check_option', o.check_option))
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN LATERAL (
              SELECT max(substr(option, 18)) FILTER (WHERE option ^@ 'security_barrier=') AS security_barrier,
                     max(substr(option, 18)) FILTER (WHERE option ^@ 'security_invoker=') AS security_invoker,
                     max(substr(option, 14)) FILTER (WHERE option ^@ 'check_option=') AS check_option
                FROM unnest(c.reloptions) option) o ON true
         WHERE c.relkind = 'v'
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.objsubid = 0 AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::View, [&self.name.namespace, &self.name.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("VIEW {}", super::dotted(path))
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
        let before = find(sides.old, &self.id());
        let mut steps = vec![self.exposing(before, Step::new(self.sql("CREATE")), sides)];
        let bare = View { columns: vec![], ..self.clone() };
        steps.extend(bare.alter_defaults(&self.columns));
        steps
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        let kept = self.columns.len() <= new.columns.len()
            && self.columns.iter().zip(&new.columns).all(|(old, new)| old.is_kept_by(new));
        if !kept {
            return Alter::Replace;
        }
        let mut steps = if self.definition != new.definition || self.columns.len() < new.columns.len() {
            vec![Step::new(new.sql("CREATE OR REPLACE")).locks(&self.name, Lock::AccessExclusive)]
        } else {
            self.alter_options(&new.options)
        };
        if let Some(last) = steps.pop() {
            steps.push(new.exposing(Some(self), last, sides));
        }
        steps.extend(self.alter_defaults(&new.columns));
        Alter::Steps(steps)
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let step = Step::new(format!("DROP VIEW {}", self.name))
            .stage(Stage::Contract)
            .locks(&self.name, Lock::AccessExclusive);
        vec![if sides.new.contains(&self.id()) {
            step.hazard(Code::RecreateView, self.id(), format!("{} is dropped and created again", self.name))
        } else {
            step.hazard(Code::DropView, self.id(), format!("{} is dropped", self.name))
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_protects_is_set_before_anything_is_taken_away() {
        let flag = |word: &str| Flag(Some(word.to_owned()));
        let options = |security_barrier, security_invoker, check_option| Options {
            security_barrier,
            security_invoker,
            check_option,
        };
        let view = View {
            name: QName::new("public", "names"),
            columns: vec![],
            definition: Expr("SELECT".to_owned()),
            options: options(flag("true"), flag("off"), Some(CheckOption::Local)),
        };
        let sql: Vec<String> =
            view.alter_options(&options(Flag(None), flag("on"), Some(CheckOption::Cascaded))).into_iter().map(|it| it.sql).collect();
        assert_eq!(
            sql,
            [
                "ALTER VIEW public.names SET (security_invoker = on, check_option = cascaded)",
                "ALTER VIEW public.names RESET (security_barrier)"
            ]
        );
        assert_eq!(
            view.sql("CREATE"),
            "CREATE VIEW public.names WITH (security_barrier = true, check_option = local) AS\nSELECT"
        );
    }
}
