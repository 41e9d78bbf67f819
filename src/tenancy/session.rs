//! How a session becomes a tenant's: derived from what `current` reads, or as declared.

use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, FuncCall, Node, ScanToken, Token, a_const};

use super::settings::SessionSettings;
use crate::kind::{Kind, Object};
use crate::name::Literal;
use crate::schema::Schema;
use crate::source::syntax;

/// The setting in which PostgREST and Supabase keep the claims of a token.
const CLAIMS: &str = "request.jwt.claims";

/// What makes a session a tenant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub place: Carrier,
    /// A query whose one value goes there in place of the tenant's key, which it has as `$1`.
    pub value: Option<String>,
}

/// Where a session carries its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// A setting that holds the key.
    Setting(String),
    /// A path in the JSON of a setting that holds the claims of a token.
    Claims { setting: String, path: Vec<String> },
}

impl Session {
    /// As declared.
    pub fn declared(settings: &SessionSettings) -> Option<Session> {
        let place = match (&settings.setting, &settings.claims) {
            (Some(setting), None) => Carrier::Setting(setting.clone()),
            (setting, Some(path)) => Carrier::Claims {
                setting: setting.clone().unwrap_or_else(|| CLAIMS.to_owned()),
                path: path.clone(),
            },
            (None, None) => return None,
        };
        Some(Session { place, value: settings.value.clone() })
    }

    /// As `current` reads it: a call of `current_setting`, in the expression itself or in the body of a function that
    /// it calls; or `auth.uid()`, which is the claim `sub`.
    pub fn derived(current: &str, schema: &Schema) -> Option<Session> {
        let place = carrier(current, schema, 0)?;
        Some(Session { place, value: None })
    }

    /// The statement that makes the rest of a transaction the tenant's, whose key, or the value in its place, this is.
    pub fn enter(&self, value: &str) -> String {
        let (setting, value) = match &self.place {
            Carrier::Setting(setting) => (setting, value.to_owned()),
            Carrier::Claims { setting, path } => {
                let leaf = serde_json::Value::String(value.to_owned());
                let claims =
                    path.iter().rev().fold(leaf, |inner, part| serde_json::json!({ part.as_str(): inner }));
                (setting, claims.to_string())
            }
        };
        format!("SELECT pg_catalog.set_config({}, {}, true)", Literal(setting), Literal(&value))
    }
}

/// How far calls are followed.
const DEPTH: usize = 4;

fn carrier(expression: &str, schema: &Schema, depth: usize) -> Option<Carrier> {
    let parsed = syntax::parse_expression(expression).ok()?;
    search(&parsed, schema, depth)
}

/// The first carrier in a tree.
fn search(node: &Node, schema: &Schema, depth: usize) -> Option<Carrier> {
    let mut path = vec![];
    let mut inner = node;
    // `claims -> 'a' ->> 'b'`: the outermost operator names the last part.
    loop {
        match inner.node.as_ref()? {
            NodeEnum::AExpr(it) if it.name.first().and_then(text).is_some_and(|op| op == "->" || op == "->>") => {
                path.insert(0, it.rexpr.as_deref().and_then(constant)?);
                inner = it.lexpr.as_deref()?;
            }
            NodeEnum::AExpr(it) if it.kind() == AExprKind::AexprNullif => inner = it.lexpr.as_deref()?,
            NodeEnum::TypeCast(it) => inner = it.arg.as_deref()?,
            NodeEnum::CoalesceExpr(it) => return it.args.iter().find_map(|arg| search(arg, schema, depth)),
            NodeEnum::SubLink(it) => inner = it.subselect.as_deref()?,
            NodeEnum::SelectStmt(it) => match it.target_list.first()?.node.as_ref()? {
                NodeEnum::ResTarget(target) => inner = target.val.as_deref()?,
                _ => return None,
            },
            NodeEnum::FuncCall(call) => return called(call, path, schema, depth),
            _ => return None,
        }
    }
}

fn called(call: &FuncCall, path: Vec<String>, schema: &Schema, depth: usize) -> Option<Carrier> {
    let parts: Vec<String> = call.funcname.iter().filter_map(text).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["current_setting"] | ["pg_catalog", "current_setting"] => {
            let setting = call.args.first().and_then(constant)?;
            Some(if path.is_empty() { Carrier::Setting(setting) } else { Carrier::Claims { setting, path } })
        }
        ["btrim" | "lower"] | ["pg_catalog", "btrim" | "lower"] => {
            call.args.first().and_then(|arg| search(arg, schema, depth))
        }
        ["auth", "uid"] if path.is_empty() => {
            Some(Carrier::Claims { setting: CLAIMS.into(), path: vec!["sub".into()] })
        }
        ["auth", "jwt"] if !path.is_empty() => Some(Carrier::Claims { setting: CLAIMS.into(), path }),
        _ if depth < DEPTH => {
            let (name, namespace) = (parts.last()?, parts.len().checked_sub(2).map(|at| parts[at]));
            let routine = schema.of_kind(Kind::Routine).find_map(|object| match object {
                Object::Routine(it)
                    if it.name.name.as_str() == *name
                        && namespace.is_none_or(|namespace| it.name.namespace.as_str() == namespace) =>
                {
                    Some(it)
                }
                _ => None,
            })?;
            let found = match routine.statements() {
                Some(statements) => value(&statements).and_then(|node| search(&node, schema, depth + 1)),
                None => routine.text().and_then(one_setting).map(Carrier::Setting),
            }?;
            match found {
                Carrier::Claims { setting, path: inner } => {
                    Some(Carrier::Claims { setting, path: inner.into_iter().chain(path).collect() })
                }
                Carrier::Setting(setting) if path.is_empty() => Some(Carrier::Setting(setting)),
                Carrier::Setting(setting) => Some(Carrier::Claims { setting, path }),
            }
        }
        _ => None,
    }
}

/// What one statement selects.
fn value(statements: &str) -> Option<Node> {
    let mut statements = syntax::parse(statements).ok()?;
    let statement = statements.pop().filter(|_| statements.is_empty())?;
    let NodeEnum::SelectStmt(select) = statement else { return None };
    match select.target_list.into_iter().next()?.node? {
        NodeEnum::ResTarget(target) => Some(*target.val?),
        _ => None,
    }
}

/// The string constants of a text in SQL or PL/pgSQL.
pub fn constants(text: &str) -> Vec<String> {
    let tokens = syntax::tokens(text).unwrap_or_default();
    let word = |it: &ScanToken| text.get(it.start.max(0) as usize..it.end.max(0) as usize);
    let strings = tokens.iter().filter(|it| it.token() == Token::Sconst).filter_map(word);
    strings.filter_map(|it| Some(it.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"))).collect()
}

/// The setting that a body in another language reads, where it reads one.
fn one_setting(body: &str) -> Option<String> {
    let tokens = syntax::tokens(body).ok()?;
    let word = |at: usize| tokens.get(at).and_then(|it| body.get(it.start.max(0) as usize..it.end.max(0) as usize));
    let mut settings: Vec<String> = (0..tokens.len())
        .filter(|at| word(*at).is_some_and(|it| it.eq_ignore_ascii_case("current_setting")))
        .filter(|at| tokens.get(at + 2).is_some_and(|it| it.token() == Token::Sconst))
        .filter_map(|at| word(at + 2)?.strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned))
        .collect();
    settings.dedup();
    settings.pop().filter(|_| settings.is_empty())
}

fn text(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::String(it) => Some(it.sval.clone()),
        _ => None,
    }
}

fn constant(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::AConst(it) => match it.val.as_ref()? {
            a_const::Val::Sval(it) => Some(it.sval.clone()),
            _ => None,
        },
        NodeEnum::TypeCast(it) => constant(it.arg.as_deref()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(current: &str) -> Option<Carrier> {
        Session::derived(current, &Schema::default()).map(|it| it.place)
    }

    #[test]
    fn what_current_reads_is_where_a_session_carries_its_tenant() {
        let setting = |name: &str| Some(Carrier::Setting(name.to_owned()));
        let claims = |path: &[&str]| {
            let path = path.iter().map(|it| (*it).to_owned()).collect();
            Some(Carrier::Claims { setting: CLAIMS.into(), path })
        };
        assert_eq!(derived("nullif(current_setting('app.tenant', true), '')::integer"), setting("app.tenant"));
        assert_eq!(derived("(SELECT current_setting('app.tenant')::uuid)"), setting("app.tenant"));
        assert_eq!(derived("auth.uid()"), claims(&["sub"]));
        assert_eq!(
            derived("(auth.jwt() -> 'app_metadata' ->> 'tenant_id')::uuid"),
            claims(&["app_metadata", "tenant_id"])
        );
        assert_eq!(
            derived("(current_setting('request.jwt.claims', true)::jsonb ->> 'sub')::uuid"),
            claims(&["sub"])
        );
        assert_eq!(derived("7"), None);
    }

    #[test]
    fn a_session_is_entered_with_the_key_where_it_belongs() {
        let session = Session { place: derived("auth.jwt() -> 'a' ->> 'b'").unwrap(), value: None };
        assert_eq!(
            session.enter("it's"),
            r#"SELECT pg_catalog.set_config('request.jwt.claims', '{"a":{"b":"it''s"}}', true)"#
        );
    }

    #[test]
    fn the_one_setting_of_a_body_is_found() {
        assert_eq!(one_setting("BEGIN RETURN current_setting('a.b', true); END").as_deref(), Some("a.b"));
        assert_eq!(one_setting("BEGIN RETURN current_setting('a.b') || current_setting('c.d'); END"), None);
    }
}
