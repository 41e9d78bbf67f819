//! `CREATE FUNCTION` and `CREATE PROCEDURE`, window functions too. Aggregates are not managed. What a body refers to
//! is found in `routine/references.rs`.

use serde::{Deserialize, Serialize, Serializer};

use crate::kind::{Alter, canonical, column, Definition, Expr, Kind, Object, ObjectId};
use crate::name::{DollarQuoted, Literal, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};
use crate::source::syntax::speaks;

mod references;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Routine {
    pub name: QName,
    /// The types of the input arguments, as they tell overloads apart: `integer, text`.
    pub types: String,
    pub form: Form,
    /// All but those of RETURNS TABLE, which are in `result`.
    pub arguments: Vec<Argument>,
    /// As `pg_get_function_result` has it; procedures return nothing.
    pub result: Option<String>,
    pub language: Name,
    /// The types of TRANSFORM FOR TYPE.
    pub transforms: Vec<String>,
    pub volatility: Volatility,
    pub parallel: Parallel,
    pub strict: bool,
    pub leakproof: bool,
    pub security_definer: bool,
    pub cost: f64,
    /// Zero for what returns no set.
    pub rows: f64,
    /// The planner support function, as a name with its namespace.
    pub support: Option<String>,
    /// `name=value`, as `proconfig` has them.
    pub settings: Settings,
    pub body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    #[serde(rename = "f")]
    Function,
    #[serde(rename = "p")]
    Procedure,
    #[serde(rename = "w")]
    Window,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    pub mode: Mode,
    pub name: Option<Name>,
    pub data_type: String,
    pub default: Option<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    #[serde(rename = "i")]
    In,
    #[serde(rename = "o")]
    Out,
    #[serde(rename = "b")]
    InOut,
    #[serde(rename = "v")]
    Variadic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Volatility {
    #[serde(rename = "i")]
    Immutable,
    #[serde(rename = "s")]
    Stable,
    #[serde(rename = "v")]
    Volatile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parallel {
    #[serde(rename = "s")]
    Safe,
    #[serde(rename = "r")]
    Restricted,
    #[serde(rename = "u")]
    Unsafe,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// Text that the language reads; the name of a C function of the server for `internal`.
    Text(String),
    /// SQL-standard: `RETURN …` or `BEGIN ATOMIC … END`, parsed when the routine is created.
    Sql(SqlBody),
    /// A function of a shared library.
    Library { file: String, symbol: String },
}

/// As `pg_get_function_sqlbody` has it. The same as another when the trees of the statements are.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct SqlBody(pub String);

impl SqlBody {
    /// The statements alone: what stands in BEGIN ATOMIC … END, or SELECT for RETURN.
    fn statements(&self) -> String {
        let text = self.0.trim();
        let atomic = text.strip_prefix("BEGIN ATOMIC").and_then(|rest| rest.strip_suffix("END"));
        match (atomic, text.strip_prefix("RETURN ")) {
            (Some(statements), _) => statements.to_owned(),
            (None, Some(value)) => format!("SELECT {value}"),
            (None, None) => text.to_owned(),
        }
    }
}

impl Serialize for SqlBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if canonical() { Expr(self.statements()).serialize(serializer) } else { self.0.serialize(serializer) }
    }
}

impl PartialEq for SqlBody {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || Expr(self.statements()) == Expr(other.statements())
    }
}

/// Settings in the order in which they were made, which makes no difference: no setting is made twice.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub Vec<String>);

impl Settings {
    fn sorted(&self) -> Vec<&String> {
        let mut sorted: Vec<&String> = self.0.iter().collect();
        sorted.sort();
        sorted
    }
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        self.sorted() == other.sorted()
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if canonical() { self.sorted().serialize(serializer) } else { self.0.serialize(serializer) }
    }
}

impl Routine {
    /// The statements of a body in SQL; of other languages nothing is known.
    pub fn statements(&self) -> Option<String> {
        match &self.body {
            Body::Sql(body) => Some(body.statements()),
            Body::Text(text) if self.language.as_str() == "sql" => Some(text.clone()),
            Body::Text(_) | Body::Library { .. } => None,
        }
    }

    /// The text of a body that is no library's.
    pub fn text(&self) -> Option<&str> {
        match &self.body {
            Body::Sql(body) => Some(&body.0),
            Body::Text(text) => Some(text),
            Body::Library { .. } => None,
        }
    }

    fn word(&self) -> &'static str {
        match self.form {
            Form::Function | Form::Window => "FUNCTION",
            Form::Procedure => "PROCEDURE",
        }
    }

    /// The whole statement from its first word, which is CREATE or CREATE OR REPLACE.
    fn sql(&self, create: &str) -> String {
        let arguments = list(self.arguments.iter().map(Argument::sql));
        let mut sql = format!("{create} {} {}({arguments})\n", self.word(), self.name);
        if let Some(result) = &self.result {
            sql += &format!(" RETURNS {result}\n");
        }
        sql += &format!(" LANGUAGE {}\n", self.language);
        if !self.transforms.is_empty() {
            let types = list(self.transforms.iter().map(|data_type| format!("FOR TYPE {data_type}")));
            sql += &format!(" TRANSFORM {types}\n");
        }
        let words = self.unusual();
        if !words.is_empty() {
            sql += &format!(" {}\n", words.join(" "));
        }
        for setting in &self.settings.0 {
            sql += &format!(" {}\n", set(setting));
        }
        match &self.body {
            Body::Text(text) => format!("{sql}AS {}", DollarQuoted(text)),
            Body::Sql(body) => sql + body.0.trim(),
            Body::Library { file, symbol } => sql + &format!("AS {}, {}", Literal(file), Literal(symbol)),
        }
    }

    /// The attributes that are not as CREATE has them by default.
    fn unusual(&self) -> Vec<String> {
        let mut words: Vec<String> = vec![];
        if self.form == Form::Window {
            words.push("WINDOW".to_owned());
        }
        match self.volatility {
            Volatility::Immutable => words.push("IMMUTABLE".to_owned()),
            Volatility::Stable => words.push("STABLE".to_owned()),
            Volatility::Volatile => {}
        }
        for (is, word) in
            [(self.leakproof, "LEAKPROOF"), (self.strict, "STRICT"), (self.security_definer, "SECURITY DEFINER")]
        {
            if is {
                words.push(word.to_owned());
            }
        }
        match self.parallel {
            Parallel::Safe => words.push("PARALLEL SAFE".to_owned()),
            Parallel::Restricted => words.push("PARALLEL RESTRICTED".to_owned()),
            Parallel::Unsafe => {}
        }
        let usual_cost = if matches!(self.language.as_str(), "internal" | "c") { 1.0 } else { 100.0 };
        if self.cost != usual_cost {
            words.push(format!("COST {}", self.cost));
        }
        if self.rows != 0.0 && self.rows != 1000.0 {
            words.push(format!("ROWS {}", self.rows));
        }
        if let Some(support) = &self.support {
            words.push(format!("SUPPORT {support}"));
        }
        words
    }

    /// Whether CREATE OR REPLACE takes `new` in place of this: who calls it must not notice by its shape.
    fn takes(&self, new: &Routine) -> bool {
        let output = |routine: &Routine| -> Vec<(Mode, Option<Name>, String)> {
            let out = |argument: &&Argument| matches!(argument.mode, Mode::Out | Mode::InOut);
            let all = routine.arguments.iter().filter(out);
            all.map(|it| (it.mode, it.name.clone(), it.data_type.clone())).collect()
        };
        let inputs = |routine: &Routine| -> Vec<Argument> {
            routine.arguments.iter().filter(|it| it.mode != Mode::Out).cloned().collect()
        };
        // An argument keeps its name, once it has one, and its default, if with another value.
        let kept = inputs(self).iter().zip(inputs(new)).all(|(old, new)| {
            (old.name.is_none() || old.name == new.name) && (old.default.is_none() || new.default.is_some())
        });
        self.form == new.form && self.result == new.result && output(self) == output(new) && kept
    }

    /// CREATE [OR REPLACE]; an SQL-standard body is analysed, with the locks that its statements would take.
    fn step(&self, create: &str) -> Step {
        let step = Step::new(self.sql(create));
        match &self.body {
            Body::Sql(body) => references::locks(&body.statements())
                .into_iter()
                .fold(step, |step, (relation, lock)| step.locks(&relation, lock)),
            Body::Text(_) | Body::Library { .. } => step,
        }
    }

    /// Where names without a namespace are looked up: as the routine sets it, else as most sessions have it.
    fn search_path(&self) -> Vec<Name> {
        match self.settings.0.iter().find_map(|setting| setting.strip_prefix("search_path=")) {
            Some(path) => identifiers(path),
            None => vec![self.name.namespace.clone(), Name::from("public")],
        }
    }
}

impl Argument {
    fn sql(&self) -> String {
        let mode = match self.mode {
            Mode::In => "",
            Mode::Out => "OUT ",
            Mode::InOut => "INOUT ",
            Mode::Variadic => "VARIADIC ",
        };
        let name = self.name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
        let default = self.default.as_ref().map(|default| format!(" DEFAULT {default}")).unwrap_or_default();
        format!("{mode}{name}{}{default}", self.data_type)
    }
}

/// The SET clause for an item of `proconfig`. A few settings hold a list of identifiers, quoted already
/// (GUC_LIST_QUOTE in the server's source, `variable_is_guc_list_quote` in pg_dump's).
fn set(setting: &str) -> String {
    let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
    let lists = [
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    ];
    let value = if lists.contains(&name) {
        // An empty name can't be written as an identifier.
        match identifiers(value) {
            none if none.is_empty() => "''".to_owned(),
            names => list(names.iter().map(|name| match name.as_str() {
                "" => "''".to_owned(),
                _ => name.to_string(),
            })),
        }
    } else {
        Literal(value).to_string()
    };
    // Custom settings have a dot in their names.
    let name: Vec<String> = name.split('.').map(|part| Name::from(part).to_string()).collect();
    format!("SET {} TO {value}", name.join("."))
}

/// The names of a list of identifiers: `public, "$user", "a, ""b"""`.
fn identifiers(text: &str) -> Vec<Name> {
    let mut names = vec![];
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut name = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            loop {
                let (part, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                name += part;
                match after.strip_prefix('"') {
                    Some(more) => {
                        name.push('"');
                        quoted = more;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            name += rest[..end].trim();
            rest = &rest[end..];
        }
        names.push(Name::from(name));
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    names
}

impl Routine {
    fn inputs(&self) -> Vec<&Argument> {
        self.arguments.iter().filter(|it| it.mode != Mode::Out).collect()
    }

    /// Whether some number of arguments is right for both.
    fn is_called_like(&self, other: &Routine) -> bool {
        let numbers = |it: &Routine| {
            let inputs = it.inputs();
            inputs.iter().filter(|it| it.default.is_none()).count()..=inputs.len()
        };
        let (own, others) = (numbers(self), numbers(other));
        own.start() <= others.end() && others.start() <= own.end()
    }

    /// Whether the arguments that both have are of the same types.
    fn has_same_beginning(&self, other: &Routine) -> bool {
        self.inputs().iter().zip(other.inputs()).all(|(own, other)| own.data_type == other.data_type)
    }
}

impl Definition for Routine {
    const NOUN: &'static str = "routine";

    // Constructors of range types depend internally (deptype 'i') on their type. Arguments of RETURNS TABLE (mode
    // 't') are in the result. pg_get_function_arg_default counts all arguments.
    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_proc'::regclass::oid::int8, p.oid::int8, 0),
            'owner', pg_get_userbyid(p.proowner),
            'acl', (SELECT coalesce(json_agg(json_build_array(coalesce(r.rolname, ''), a.privilege_type,
                                                                a.is_grantable, pg_get_userbyid(a.grantor))
                                              ORDER BY r.rolname, a.privilege_type), '[]')
                      FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                      LEFT JOIN pg_roles r ON r.oid = a.grantee),
            'def', json_build_object(
                'name', json_build_array(n.nspname, p.proname),
                'types', oidvectortypes(p.proargtypes),
                'form', p.prokind,
                'arguments', coalesce(a.arguments, '[]'),
                'result', pg_get_function_result(p.oid),
                'language', l.lanname,
                'transforms', (SELECT coalesce(json_agg(format_type(t.type, NULL) ORDER BY t.n), '[]')
                                 FROM unnest(p.protrftypes) WITH ORDINALITY t(type, n)),
                'volatility', p.provolatile,
                'parallel', p.proparallel,
                'strict', p.proisstrict,
                'leakproof', p.proleakproof,
                'security_definer', p.prosecdef,
                'cost', p.procost,
                'rows', p.prorows,
                'support', CASE WHEN p.prosupport <> 0 THEN p.prosupport::regproc::text END,
                'settings', to_jsonb(coalesce(p.proconfig, '{}')),
                'body', CASE WHEN p.prosqlbody IS NOT NULL
                             THEN json_build_object('sql', pg_get_function_sqlbody(p.oid))
                             WHEN p.probin IS NOT NULL
                             THEN json_build_object('library', json_build_object('file', p.probin,
                                                                                   'symbol', p.prosrc))
                             ELSE json_build_object('text', p.prosrc) END))
          FROM pg_proc p
          JOIN pg_namespace n ON n.oid = p.pronamespace
          JOIN pg_language l ON l.oid = p.prolang
          CROSS JOIN LATERAL (
            SELECT json_agg(json_build_object(
                       'mode', coalesce(p.proargmodes[t.n], 'i'),
                       'name', nullif(p.proargnames[t.n], ''),
                       'data_type', format_type(t.type, NULL),
                       'default', pg_get_function_arg_default(p.oid, t.n::int)) ORDER BY t.n) AS arguments
              FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY t(type, n)
             WHERE coalesce(p.proargmodes[t.n], 'i') <> 't') a
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND p.prokind <> 'a'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                              AND d.deptype IN ('i', 'e'))"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Routine, [&self.name.namespace, &self.name.name, &Name::from(self.types.clone())])
    }

    fn reference(path: &[Name]) -> String {
        format!("ROUTINE {}", Self::label(path).unwrap_or_else(|| super::dotted(path)))
    }

    fn label(path: &[Name]) -> Option<String> {
        let [namespace, name, types] = path else { return None };
        Some(format!("{namespace}.{name}({})", types.as_str()))
    }

    fn wishes(&self) -> Vec<ObjectId> {
        let path = self.search_path();
        let mut wishes = match &self.body {
            // What it takes may be rows, and the body speaks of their columns alone.
            Body::Text(text) if self.language.as_str() == "sql" => {
                [references::of_sql(text, &path), references::of_text(&self.types, &[])].concat()
            }
            Body::Text(text) if self.language.as_str() == "plpgsql" => {
                [references::of_text(text, &path), references::of_text(&self.types, &[])].concat()
            }
            // The server tracks what an SQL-standard body refers to, and nothing reads the other languages.
            Body::Text(_) | Body::Sql(_) | Body::Library { .. } => vec![],
        };
        let itself = self.id();
        wishes.retain(|wish| wish.kind != Kind::Routine || !itself.path.starts_with(&wish.path));
        wishes
    }

    /// What the body of a trigger's function says of NEW and OLD are columns of the tables that the triggers are on.
    fn wishes_when_altered(&self, new: &Schema) -> Vec<ObjectId> {
        let Body::Text(text) = &self.body else { return vec![] };
        let fields = references::fields_of_rows(text);
        if fields.is_empty() {
            return vec![];
        }
        let relations = new.of_kind(Kind::Trigger).filter_map(|object| match object {
            Object::Trigger(it) if it.function == self.name => Some(&it.relation),
            _ => None,
        });
        relations.flat_map(|relation| fields.iter().map(|it| column::id(relation, it))).collect()
    }

    /// That of a trigger is about the row that it is given.
    fn reads(&self, column: &ObjectId) -> bool {
        let speaks = |text: &str| column.path.last().is_some_and(|it| speaks(text, it.as_str()));
        self.result.as_deref() != Some("trigger") && self.text().is_some_and(speaks)
    }

    /// A changed column breaks an SQL-standard body, a changed type the arguments and the result.
    fn survives(&self, _disturbance: Disturbance) -> bool {
        false
    }

    fn create(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![self.step("CREATE")]
    }

    fn alter(&self, new: &Self, _sides: &Sides<'_>) -> Alter {
        if self.takes(new) { Alter::Steps(vec![new.step("CREATE OR REPLACE")]) } else { Alter::Replace }
    }

    /// An overload that goes, where a call can't tell them apart, or where what calls it is made again and is to call this.
    fn takes_the_place_of(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        let going = sides.old.of_relation(Kind::Routine, &self.name).filter_map(|object| match object {
            Object::Routine(it) if !sides.new.contains(&it.id()) => Some(&**it),
            _ => None,
        });
        let is_called = |it: &Routine| {
            let mut anew = sides.replaced.iter().filter(|caller| sides.new.contains(caller));
            anew.any(|caller| sides.old.needs_of(caller).any(|need| *need == it.id()))
        };
        let mut going = going.filter(|it| it.is_called_like(self));
        going.find(|it| it.has_same_beginning(self) || is_called(it)).map(Routine::id)
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![
            Step::new(format!("DROP {} {}({})", self.word(), self.name, self.types))
                .stage(Stage::Contract)
                .hazard(Code::DropRoutine, self.id(), "it goes"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_they_were_read() {
        for (setting, sql) in [
            ("search_path=\"\"", "SET search_path TO ''"),
            ("search_path=app, \"$user\", \"a, \"\"b\"", "SET search_path TO app, \"$user\", \"a, \"\"b\""),
            ("search_path=", "SET search_path TO ''"),
            ("work_mem=64MB", "SET work_mem TO '64MB'"),
            ("app.x=it's = so", "SET app.x TO 'it''s = so'"),
            ("TimeZone=UTC", "SET \"TimeZone\" TO 'UTC'"),
        ] {
            assert_eq!(set(setting), sql);
        }
    }

    #[test]
    fn sql_bodies_compare_by_their_trees() {
        let body = |text: &str| SqlBody(text.to_owned());
        assert_eq!(body("RETURN (a + 1)"), body("RETURN (a  +  1)"));
        assert_eq!(body("BEGIN ATOMIC\n SELECT 1;\n SELECT 2;\nEND"), body("BEGIN ATOMIC SELECT 1; SELECT 2; END"));
        assert_ne!(body("BEGIN ATOMIC\n SELECT 1;\nEND"), body("BEGIN ATOMIC SELECT 2; END"));
    }
}
