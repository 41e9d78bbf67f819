//! Names in bodies in PL/pgSQL that nothing goes by in a database. The server looks at them only when the body runs, so
//! this asks the catalogs. Whoever runs a routine may have made a temporary table and decides where bare names are
//! looked up: a name that could be meant otherwise is left alone.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::error::Error;

use super::Absent;
use crate::connect::Session;
use crate::name::Name;
use crate::source::uses::{Use, What, uses};
use crate::source::{Declaration, Rank, Statement, plpgsql};

/// The names that are absent from the session's database, where the declaration is loaded.
pub async fn absent(session: &Session, declaration: &Declaration) -> Result<Vec<Absent>, Error> {
    let routines = || declaration.statements.iter().filter(|it| it.names.rank == Rank::Routine);
    let made: BTreeSet<String> = routines().flat_map(|it| made(&it.sql)).collect();
    let used: Vec<(&Statement, usize, Vec<Use>)> = routines()
        .filter(|it| !makes_what_it_names(&it.sql))
        .filter_map(|it| plpgsql::body(&it.sql).map(|(at, body)| (it, at, used(body))))
        .collect();
    if used.iter().all(|it| it.2.is_empty()) {
        return Ok(vec![]);
    }
    let present = Present::of(session, used.iter().flat_map(|it| &it.2)).await?;
    let mut found = vec![];
    for (statement, start, uses) in used {
        for it in uses {
            let Some((label, parts)) = present.lacks(&it.what, &made) else { continue };
            // The server counts characters, from 1.
            let at = statement.sql.get(..start + it.at).map_or(0, |before| before.chars().count()) + 1;
            let span = u32::try_from(at).map_or(statement.origin, |at| statement.name_at(at));
            found.push(Absent { routine: super::routine(statement), span, label, parts });
        }
    }
    Ok(found)
}

/// All that a body names.
fn used(body: &str) -> Vec<Use> {
    let read = plpgsql::read(body);
    let is_variable = |parts: &[String]| matches!(parts, [it] if read.variables.contains(it));
    let calls = read.calls.into_iter().filter(|(_, parts)| !is_variable(parts));
    let mut found: Vec<Use> = calls.map(|(at, parts)| Use { at, what: What::Routine(parts) }).collect();
    for fragment in read.fragments {
        let uses = uses(&fragment.sql, &read.variables);
        found.extend(uses.into_iter().map(|it| Use { at: fragment.at + it.at, ..it }));
    }
    found.sort_by_key(|it| it.at);
    found
}

/// Names of relations that a body may make while it runs, statements in strings among them.
fn made(sql: &str) -> BTreeSet<String> {
    let name = |word: &str| word.trim_matches(['"', '\'']).rsplit('.').next().unwrap_or_default().to_lowercase();
    after_making(sql).into_iter().map(name).collect()
}

/// Whether a body puts the name of a relation together while it runs.
fn makes_what_it_names(sql: &str) -> bool {
    after_making(sql).iter().any(|it| it.starts_with(['%', '\'']))
}

/// The words that follow those which make a relation.
fn after_making(sql: &str) -> Vec<&str> {
    const MAKING: [&str; 5] = ["table", "exists", "view", "temp", "temporary"];
    let words = sql.split(|it: char| it.is_whitespace() || matches!(it, '(' | ')' | ';' | ','));
    let words: Vec<&str> = words.filter(|it| !it.is_empty()).collect();
    let makes = |word: &str| MAKING.iter().any(|it| word.trim_matches('\'').eq_ignore_ascii_case(it));
    words.windows(2).filter(|it| makes(it[0])).map(|it| it[1]).collect()
}

/// The columns of a relation, where they are known.
type Columns = Option<BTreeSet<String>>;

/// What goes by the names that bodies use.
#[derive(Default)]
struct Present {
    /// By name: the namespaces, with the columns there.
    relations: BTreeMap<String, Vec<(String, Columns)>>,
    /// By name: the namespaces. Types are among them, as a cast can be written as a call.
    routines: BTreeMap<String, BTreeSet<String>>,
}

impl Present {
    async fn of(session: &Session, uses: impl Iterator<Item = &Use>) -> Result<Present, Error> {
        const RELATIONS: &str = "
            SELECT n.nspname::text, c.relname::text,
                   array_agg(a.attname::text) FILTER (WHERE a.attname IS NOT NULL)
              FROM pg_catalog.pg_class c
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
             WHERE c.relname = ANY ($1)
             GROUP BY 1, 2
             UNION ALL
            SELECT '', t.name, NULL
              FROM pg_catalog.pg_trigger, unnest(ARRAY[tgoldtable, tgnewtable]::text[]) t(name)
             WHERE t.name = ANY ($1)";
        const ROUTINES: &str = "
            SELECT n.nspname::text, p.proname::text
              FROM pg_catalog.pg_proc p
              JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
             WHERE p.proname = ANY ($1)
             UNION
            SELECT n.nspname, t.typname
              FROM pg_catalog.pg_type t
              JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
             WHERE t.typname = ANY ($1)";
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for it in uses {
            let (parts, column) = match &it.what {
                What::Relation(parts) | What::Routine(parts) => (parts, None),
                What::Column { of, name } => (of, Some(name)),
            };
            names.extend(parts.last().into_iter().chain(column).map(String::as_str));
        }
        let names: Vec<&str> = names.into_iter().collect();
        let mut present = Present::default();
        for row in session.client.query(RELATIONS, &[&names]).await? {
            let columns: Option<Vec<String>> = row.get(2);
            let columns = columns.map(|it| it.into_iter().collect());
            present.relations.entry(row.get(1)).or_default().push((row.get(0), columns));
        }
        for row in session.client.query(ROUTINES, &[&names]).await? {
            present.routines.entry(row.get(1)).or_default().insert(row.get(0));
        }
        Ok(present)
    }

    /// What to say of a name that nothing goes by, and the parts of it.
    fn lacks(&self, what: &What, made: &BTreeSet<String>) -> Option<(String, Vec<String>)> {
        // The namespace of a session's own.
        const TEMPORARY: &str = "pg_temp";
        match what {
            What::Relation(parts) | What::Routine(parts) if parts.first().is_some_and(|it| it == TEMPORARY) => None,
            What::Relation(parts) => {
                let there = made.contains(&parts.last()?.to_lowercase()) || self.relations(parts).next().is_some();
                (!there).then(|| (format!("no table or view is named {}", written(parts)), parts.clone()))
            }
            What::Routine(parts) => {
                let there = match parts.as_slice() {
                    [name] => self.routines.contains_key(name),
                    [.., namespace, name] => self.routines.get(name).is_some_and(|it| it.contains(namespace)),
                    [] => true,
                };
                (!there).then(|| (format!("no function is named {}", written(parts)), parts.clone()))
            }
            What::Column { of, name } => {
                let mut candidates = self.relations(of).peekable();
                candidates.peek()?;
                // `row.name` also calls a function of that name.
                let there = made.contains(&of.last()?.to_lowercase())
                    || self.routines.contains_key(name)
                    || candidates.any(|columns| columns.as_ref().is_none_or(|it| it.contains(name)));
                let label = || format!("{} has no column {}", written(of), Name::from(name.as_str()));
                (!there).then(|| (label(), of.clone()))
            }
        }
    }

    /// The columns of each relation that a name may mean.
    fn relations(&self, parts: &[String]) -> impl Iterator<Item = &Columns> {
        let (name, namespace) = match parts {
            [.., namespace, name] => (Some(name), Some(namespace.clone())),
            _ => (parts.last(), None),
        };
        let all = name.and_then(|it| self.relations.get(it)).into_iter().flatten();
        all.filter(move |it| namespace.as_ref().is_none_or(|namespace| *namespace == it.0)).map(|it| &it.1)
    }
}

fn written(parts: &[String]) -> String {
    parts.iter().map(|it| Name::from(it.as_str()).to_string()).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_body_makes_is_known() {
        let sql =
            "BEGIN CREATE TEMP TABLE IF NOT EXISTS \"Odd\" (a int); EXECUTE 'CREATE TABLE app.two(b int)'; END";
        let made = made(sql);
        assert!(made.contains("odd") && made.contains("two"), "{made:?}");
        assert!(!makes_what_it_names(sql));
        assert!(makes_what_it_names("EXECUTE format('CREATE TEMP TABLE %I (a int)', name)"));
        assert!(makes_what_it_names("EXECUTE 'CREATE TABLE ' || name"));
    }
}
