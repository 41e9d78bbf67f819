//! A namespace for each tenant: what is declared once, in the namespace of the template, under one tenant's name.

use std::ops::Range;

use pg_query::protobuf::Token;

use super::settings::{Declared, Model, Settings};
use crate::diagnostic::{File, Report};
use crate::name::Name;
use crate::source::anatomy::Edit;
use crate::source::{self, Declaration, Statement, syntax};

/// What stands for the tenant in `named`.
const PLACE: &str = "{tenant}";

/// The name of a tenant's namespace or database.
pub fn name_for(named: &str, tenant: &str) -> String {
    named.replace(PLACE, tenant)
}

/// Whether a name is that of some tenant's namespace, and whose.
pub fn tenant_of<'a>(named: &str, namespace: &'a str) -> Option<&'a str> {
    let (before, after) = named.split_once(PLACE)?;
    let tenant = namespace.strip_prefix(before)?.strip_suffix(after)?;
    (!tenant.is_empty()).then_some(tenant)
}

/// The tenancy with a namespace for each tenant, with its template and how namespaces are called.
pub fn namespaced(declared: &Declared) -> Option<(&Settings, &str, &str)> {
    let settings = declared.tenancies.iter().find(|it| it.model == Model::Namespace)?;
    let (template, named) = (settings.template.as_ref()?, settings.named.as_ref()?);
    Some((settings, template.get_ref(), named.get_ref()))
}

/// What is missing or wrong in what a model other than `row` needs.
pub fn faults(declared: &Declared) -> Vec<Report> {
    let mut faults = vec![];
    for settings in &declared.tenancies {
        let missing = |key: &str, help: &str| {
            Report::error("tenancy::missing", format!("a tenancy of this model does not say `{key}`")).help(help)
        };
        if settings.model == Model::Namespace && settings.template.is_none() {
            faults.push(missing("template", "name the namespace that is declared and stands for every tenant's"));
        }
        match &settings.named {
            _ if settings.model == Model::Row => {}
            None => {
                faults
                    .push(missing("named", "say how a tenant's is called, such as `named = \"tenant_{tenant}\"`"));
            }
            Some(word) if !word.get_ref().contains(PLACE) => {
                let report = Report::error("tenancy::named", "every tenant's would have one name")
                    .at(&declared.file, word.span(), "without {tenant}")
                    .help("put `{tenant}` where the tenant's name goes");
                faults.push(report);
            }
            Some(_) => {}
        }
    }
    faults
}

/// The declaration of one tenant's namespace: all that the template's holds, under its name. What other namespaces
/// declare is not part of it, and must be there.
///
/// Errors: no tenancy is of that model, the template declares nothing, a body names the template in a text that only
/// its language reads.
pub fn for_tenant(declaration: Declaration, declared: &Declared, tenant: &str) -> Result<Declaration, Vec<Report>> {
    let Some((_, template, named)) = namespaced(declared) else { return Ok(declaration) };
    let namespace = Name::from(name_for(named, tenant));
    let mut faults = vec![];
    let mut statements = vec![];
    for (at, statement) in declaration.statements.iter().enumerate() {
        if let Some(word) = in_a_body(statement, template) {
            let span = statement.span_at(u32::try_from(statement.sql[..word].chars().count() + 1).ok());
            let mut report = Report::error(
                "tenancy::template_in_body",
                format!("a body names {template}, which is another for each tenant"),
            );
            report.places.push(declaration.place(span, "in this text"));
            faults.push(report.help("leave the namespace out, and SET search_path on the function"));
            continue;
        }
        let edits = edits(statement, template, &namespace);
        let here =
            statement.search_path.as_ref().is_some_and(|it| source::namespaces(it).contains(&template.to_owned()));
        if edits.is_empty() && !here {
            continue;
        }
        let mut moved = declaration.edited(at, edits);
        if let Some(path) = &moved.search_path {
            let names = source::namespaces(path).into_iter();
            let names = names.map(|it| if it == template { namespace.clone() } else { Name::from(it) });
            moved = moved.under(crate::name::list(names));
        }
        statements.push(moved);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if statements.is_empty() {
        let report =
            Report::error("tenancy::template", format!("namespace {template} is declared to hold nothing"))
                .help("declare in it what each tenant has, or correct `template`");
        return Err(vec![report]);
    }
    let mut declaration = declaration;
    let moved = |path: &mut Vec<Name>| {
        if path.first().is_some_and(|it| it.as_str() == template) {
            path[0] = namespace.clone();
        }
    };
    declaration.renames.iter_mut().for_each(|it| moved(&mut it.path));
    declaration.allows.iter_mut().flat_map(|it| &mut it.beside).for_each(|it| moved(&mut it.1));
    let is_template = |it: &Name| it.as_str() == template;
    declaration.backfills.retain(|it| is_template(&it.table.namespace));
    declaration.backfills.iter_mut().for_each(|it| it.table.namespace = namespace.clone());
    declaration.seeds.retain(|it| is_template(&it.table.namespace));
    declaration.seeds.iter_mut().for_each(|it| it.table.namespace = namespace.clone());
    let parts = [File::new("files", declaration.digest.as_str()), File::new("tenant", tenant)];
    declaration.digest = source::digest(&parts);
    declaration.with_statements(statements)
}

/// Where a statement names the namespace, with its other name there.
fn edits(statement: &Statement, template: &str, namespace: &Name) -> Vec<Edit> {
    let tokens = syntax::tokens(&statement.sql).unwrap_or_default();
    let range = |at: usize| -> Option<Range<usize>> {
        tokens.get(at).map(|it| it.start.max(0) as usize..it.end.max(0) as usize)
    };
    let word = |at: usize| range(at).and_then(|it| statement.sql.get(it));
    let is = |at: usize, text: &str| word(at).is_some_and(|it| it.eq_ignore_ascii_case(text));
    let comment = |at: usize| matches!(tokens[at].token(), Token::SqlComment | Token::CComment);
    let mut found = vec![];
    for at in (0..tokens.len()).filter(|at| !comment(*at)) {
        if word(at).map(source::unquoted).as_deref() != Some(template) || tokens[at].token() == Token::Sconst {
            continue;
        }
        let begins = is(at + 1, ".") && (at == 0 || !is(at - 1, "."));
        let before = |back: usize, text: &str| at >= back && is(at - back, text);
        let schema = before(1, "schema") || (before(1, "exists") && before(4, "schema"));
        let listed = before(1, ",") && tokens[..at].iter().any(|it| it.token() == Token::Schema);
        let path = before(1, "=") && before(2, "search_path") || before(1, "to") && before(2, "search_path");
        if let (true, Some(range)) = (begins || schema || listed || path, range(at)) {
            found.push(Edit { at: range, with: namespace.to_string() });
        }
    }
    found
}

/// Where the text of a body names the namespace.
fn in_a_body(statement: &Statement, template: &str) -> Option<usize> {
    let makes = statement
        .names
        .declares
        .iter()
        .any(|it| matches!(it.class, source::Class::Function | source::Class::Procedure));
    let tokens = syntax::tokens(&statement.sql).unwrap_or_default();
    let text = tokens.iter().filter(|it| makes && it.token() == Token::Sconst).find(|it| {
        let text = statement.sql.get(it.start.max(0) as usize..it.end.max(0) as usize).unwrap_or_default();
        let words = syntax::words(text.trim_matches(['$', '\'']));
        words.windows(2).any(|pair| source::unquoted(&pair[0]) == template && pair[1] == ".")
    });
    text.map(|it| it.start.max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const CONFIG: &str = "[tenancy]\nmodel = 'namespace'\ntemplate = 'tpl'\nnamed = 'tenant_{tenant}'\n";

    fn planned(sql: &str) -> Result<String, Vec<&'static str>> {
        let config = config::parse(&File::new("tenantry.toml", CONFIG)).unwrap();
        let declaration = source::read(vec![File::new("a.sql", sql)], 15).unwrap();
        for_tenant(declaration, &config.tenancy.unwrap(), "Acme")
            .map(|it| it.statements.iter().map(|it| it.sql.clone()).collect::<Vec<_>>().join(";\n"))
            .map_err(|reports| reports.iter().map(|it| it.code).collect())
    }

    #[test]
    fn what_the_template_holds_is_the_tenants() {
        let sql = "CREATE SCHEMA tpl; CREATE TABLE shared (tpl int);
            CREATE TABLE tpl.notes (id int PRIMARY KEY, tpl text DEFAULT 'tpl.x', s int REFERENCES shared);
            CREATE VIEW tpl.v AS SELECT n.tpl FROM tpl.notes n WHERE n.id > 0;
            CREATE FUNCTION tpl.f() RETURNS int LANGUAGE sql SET search_path = tpl AS 'SELECT 1 FROM notes';
            GRANT USAGE ON SCHEMA tpl TO PUBLIC;";
        insta::assert_snapshot!(planned(sql).unwrap(), @r#"
        CREATE SCHEMA "tenant_Acme";
        CREATE FUNCTION "tenant_Acme".f() RETURNS int LANGUAGE sql SET search_path = "tenant_Acme" AS 'SELECT 1 FROM notes';
        CREATE TABLE "tenant_Acme".notes (id int PRIMARY KEY, tpl text DEFAULT 'tpl.x', s int REFERENCES shared);
        CREATE VIEW "tenant_Acme".v AS SELECT n.tpl FROM "tenant_Acme".notes n WHERE n.id > 0;
        GRANT USAGE ON SCHEMA "tenant_Acme" TO PUBLIC
        "#);
    }

    #[test]
    fn what_can_not_be_the_tenants_is_refused() {
        assert_eq!(
            planned(
                "CREATE FUNCTION tpl.f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN (SELECT 1 FROM tpl.t); END$$"
            ),
            Err(vec!["tenancy::template_in_body"])
        );
        assert_eq!(planned("CREATE TABLE t (a int)"), Err(vec!["tenancy::template"]));
        assert_eq!(tenant_of("tenant_{tenant}", "tenant_a"), Some("a"));
        assert_eq!(tenant_of("tenant_{tenant}", "public"), None);
    }
}
