//! Writes what a tenancy asks for into a declaration: key columns, keys and references that carry them, indexes, row
//! security with its policies, grants. Statements in, statements out; what they mean is for the server to say.
//!
//! What is there already is left as it is, and what shall stay as declared is named, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use self::model::{Facts, Unique};
use super::settings::{ClassName, Declared, Mode, OnDelete, PrimaryKeys, Settings, TableDefault, TableSettings};
use super::{Class, KeyColumn, Shape, Tenancy, classify, resolve};
use crate::diagnostic::{File, Place, Report};
use crate::kind::made_name::derived;

use crate::name::{Name, QName, list};
use crate::source::anatomy::{self, Constraint, Edit, Foreign, Rule};
use crate::source::{self, Class as What, Declaration, Statement};

mod kept;
mod model;
mod policies;
mod surroundings;

pub use model::Model;

/// ON DELETE and ON UPDATE as `pg_constraint` has them.
const ACTIONS: [(char, &str); 4] = [('r', "RESTRICT"), ('c', "CASCADE"), ('n', "SET NULL"), ('d', "SET DEFAULT")];

/// The declaration with all that its tenancies ask for, for a server of this major version.
///
/// Errors: what is wrong with the tenancies (see [`resolve`]), keys of other types than the tenant's, references that
/// can't carry the key, views that can't be made to run as their caller, exceptions that have no effect.
pub fn expand(declaration: Declaration, declared: &Declared, major: u32) -> Result<Declaration, Vec<Report>> {
    let model = Model::read(&declaration);
    let shape = model.shape();
    let tenancies = resolve(declared, &shape, &|table| model.place(table))?;
    let mut work = Work {
        declaration: &declaration,
        model: &model,
        shape: &shape,
        major,
        edits: BTreeMap::new(),
        elements: BTreeMap::new(),
        written: vec![],
        uniques: model.uniques(),
        names: model.relation_names(),
        notes: vec![],
        faults: vec![],
        grants: false,
    };
    for (tenancy, settings) in tenancies.iter().zip(&declared.tenancies) {
        if tenancy.mode == Mode::Expand {
            work.tenancy(tenancy, settings, declared);
        }
    }
    work.unused_globals(&tenancies);
    let Work { edits, elements, written, notes, faults, grants, .. } = work;
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut edits = edits;
    for (at, added) in elements {
        let Some(table) = model.table_of(at) else { continue };
        let text = added.join(",\n    ");
        let edit = match (table.elements.last(), table.close) {
            (Some(last), _) => Edit { at: last.end..last.end, with: format!(",\n    {text}") },
            (None, Some(close)) => Edit { at: close..close, with: text },
            (None, None) => continue,
        };
        edits.entry(at).or_default().push(edit);
    }
    let mut statements = declaration.statements.clone();
    for (at, edits) in edits {
        statements[at] = declaration.edited(at, edits);
    }
    statements.extend(written);
    let mut declaration = declaration;
    declaration.notes.extend(notes);
    declaration.manages.grants |= grants;
    let files = declaration.digest.clone();
    let mut declaration = declaration.with_statements(statements)?;
    if tenancies.iter().any(|it| it.mode == Mode::Expand) {
        let parts = [File::new("files", files), File::new("expanded", source::render_sql(&declaration))];
        declaration.digest = source::digest(&parts);
    }
    Ok(declaration)
}

/// What is being written.
struct Work<'a> {
    declaration: &'a Declaration,
    model: &'a Model,
    shape: &'a Shape,
    major: u32,
    /// By statement.
    edits: BTreeMap<usize, Vec<Edit>>,
    /// Elements that CREATE TABLE gains, by statement.
    elements: BTreeMap<usize, Vec<String>>,
    written: Vec<Statement>,
    /// The unique keys of each table as they will be.
    uniques: BTreeMap<QName, Vec<Unique>>,
    /// Names that are taken.
    names: BTreeSet<QName>,
    notes: Vec<Report>,
    faults: Vec<Report>,
    grants: bool,
}

/// A tenancy that is being written.
#[derive(Clone, Copy)]
struct Scope<'a> {
    tenancy: &'a Tenancy,
    settings: &'a Settings,
}

impl Scope<'_> {
    fn table(&self, table: &QName) -> Option<&TableSettings> {
        let is_it = |word: &str| classify::qname(word).as_ref() == Some(table);
        self.settings.tables.iter().find(|(word, _)| is_it(word.get_ref())).map(|(_, settings)| settings)
    }
}

impl Work<'_> {
    fn tenancy(&mut self, tenancy: &Tenancy, settings: &Settings, declared: &Declared) {
        let scope = Scope { tenancy, settings };
        self.unused_exceptions(scope, declared);
        let mut scoped = vec![];
        for (table, class) in &tenancy.tables {
            let Some(facts) = self.model.tables.get(table) else { continue };
            match class {
                Class::Scoped(keys) => scoped.push((table, facts, keys)),
                Class::Tenant => self.isolate(scope, table, facts),
                Class::Global => self.grant(scope, table, facts, ClassName::Global),
                Class::External => {}
            }
        }
        for (table, facts, keys) in &scoped {
            if facts.whole(self.model).is_none() {
                self.key_columns(scope, table, facts, keys);
                self.scope_keys(scope, table, facts, keys);
            }
        }
        // What is referred to is known once all keys have their columns.
        for (table, facts, keys) in &scoped {
            self.references(scope, table, facts, keys);
        }
        for (table, facts, keys) in &scoped {
            if facts.whole(self.model).is_none() {
                self.serve(scope, table, facts, keys);
            }
            self.isolate(scope, table, facts);
        }
        self.views(scope);
        self.publications(scope);
    }

    /// The words of a table's declaration that name it.
    fn place(&self, table: &QName, label: &str) -> Option<Place> {
        self.model.place(table).map(|place| Place { label: label.to_owned(), ..place })
    }

    fn fault(&mut self, report: Report, place: Option<Place>) {
        let mut report = report;
        report.places.extend(place);
        self.faults.push(report);
    }

    fn edit(&mut self, at: usize, range: std::ops::Range<usize>, with: impl Into<String>) {
        self.edits.entry(at).or_default().push(Edit { at: range, with: with.into() });
    }

    /// Adds an element to a CREATE TABLE.
    fn element(&mut self, table: &QName, facts: &Facts, element: String) {
        if facts.table.close.is_none() {
            let report = Report::error("tenancy::no_columns", format!("nothing can be written into table {table}"))
                .help("it has its columns from elsewhere; declare the key and its constraints there");
            let place = self.place(table, "made without a list of columns");
            return self.fault(report, place);
        }
        self.elements.entry(facts.at).or_default().push(element);
    }

    /// The columns that say whose a row is, as they must be: of the tenant's type, required, and referring to it.
    fn key_columns(&mut self, scope: Scope<'_>, table: &QName, facts: &Facts, keys: &[KeyColumn]) {
        let own = scope.table(table);
        let deepest = keys.len() - 1;
        for (n, key) in keys.iter().enumerate() {
            let level = &scope.tenancy.levels[key.level];
            let default = (n == 0).then(|| default_of(scope, table, own)).flatten();
            let on_delete = own.and_then(|it| it.on_delete).or(scope.settings.on_delete.filter(|_| n == 0));
            let on_delete = match on_delete {
                None | Some(OnDelete::NoAction) => "",
                Some(OnDelete::Restrict) => " ON DELETE RESTRICT",
                Some(OnDelete::Cascade) => " ON DELETE CASCADE",
            };
            // A unit below the tenant is referred to together with all that it is within, which is all that the
            // columns before it must say.
            let refers = n == deepest;
            let has_reference = facts.foreign().any(|it| it.columns.contains(&key.column) && it.to == level.table);
            let inline = keys.len() == 1;
            let references = format!(" REFERENCES {} ({}){on_delete}", level.table, level.id);
            match facts.table.columns.iter().find(|it| it.name == key.column) {
                Some(column) => {
                    if column.kind != anatomy::type_kind(&level.data_type) {
                        let message = format!(
                            "column {}.{} is {}, and {}.{}, which it says, is {}",
                            table, key.column, column.data_type, level.table, level.id, level.data_type
                        );
                        let report = Report::error("tenancy::key_type", message)
                            .help("give both one type: a comparison of two would use no index, or fail");
                        let place =
                            self.model.word(self.declaration, facts.at, column.at.clone(), "of another type");
                        self.fault(report, place);
                        continue;
                    }
                    let mut more = String::new();
                    if !column.not_null && !facts.not_null.contains(&key.column) {
                        more += " NOT NULL";
                    }
                    if let Some(default) =
                        default.filter(|_| !column.has_default && !facts.defaults.contains(&key.column))
                    {
                        more += &format!(" DEFAULT {default}");
                    }
                    if refers && inline && !has_reference {
                        more += &references;
                    }
                    if !more.is_empty() {
                        self.edit(facts.at, column.at.end..column.at.end, more);
                    }
                }
                None if self.model.inherits(table, &key.column) => {}
                None => {
                    let mut element = format!("{} {} NOT NULL", key.column, self.key_type(&level.data_type));
                    if let Some(default) = default {
                        element += &format!(" DEFAULT {default}");
                    }
                    if refers && inline && !has_reference {
                        element += &references;
                    }
                    self.element(table, facts, element);
                }
            }
            if refers && !inline && !has_reference {
                let columns: Vec<&Name> = keys.iter().map(|it| &it.column).collect();
                let mut target: Vec<Name> =
                    scope.tenancy.keys(&level.table).into_iter().map(|it| it.column).collect();
                target.push(level.id.clone());
                self.ensure_unique(&level.table, &target);
                let element = format!(
                    "FOREIGN KEY ({}) REFERENCES {} ({}){on_delete}",
                    list(columns),
                    level.table,
                    list(&target)
                );
                self.element(table, facts, element);
            }
        }
    }

    /// The type of a key column: that of the tenant's, where `serial` is what it makes.
    fn key_type(&self, data_type: &str) -> String {
        match data_type.to_ascii_lowercase().as_str() {
            "serial" | "serial4" => "integer".into(),
            "bigserial" | "serial8" => "bigint".into(),
            "smallserial" | "serial2" => "smallint".into(),
            _ => data_type.to_owned(),
        }
    }

    /// Uniqueness holds within the tenant.
    fn scope_keys(&mut self, scope: Scope<'_>, table: &QName, facts: &Facts, keys: &[KeyColumn]) {
        for (at, constraint) in &facts.constraints {
            let missing = |columns: &[Name]| -> Vec<Name> {
                keys.iter().map(|it| it.column.clone()).filter(|it| !columns.contains(it)).collect()
            };
            match &constraint.rule {
                Rule::Unique(unique) => {
                    let missing = missing(&unique.columns);
                    if missing.is_empty() || self.stays(scope, table, constraint, &unique.columns) {
                        continue;
                    }
                    if keeps_surrogates(scope) && holds_surrogate(facts, unique) {
                        continue;
                    }
                    let columns: Vec<Name> = missing.iter().chain(&unique.columns).cloned().collect();
                    match unique.open {
                        Some(open) => self.edit(*at, open..open, format!("{}, ", list(&missing))),
                        None => {
                            let tail = &self.declaration.statements[*at].sql[unique.tail.clone()];
                            let tail = if tail.is_empty() { String::new() } else { format!(" {tail}") };
                            let name = named(constraint);
                            let element = format!("{name}{} ({}){tail}", unique.head, list(&columns));
                            self.cut(*at, constraint);
                            self.element(table, facts, element);
                        }
                    }
                    self.replace_unique(table, &unique.columns, columns);
                }
                Rule::Exclusion { open, columns } => {
                    let missing = missing(columns);
                    if missing.is_empty() || self.stays(scope, table, constraint, columns) {
                        continue;
                    }
                    let with = list(missing.iter().map(|it| format!("{it} WITH =")));
                    self.edit(*at, *open..*open, format!("{with}, "));
                }
                Rule::Foreign(_) => {}
            }
        }
        for (at, index) in &facts.indexes {
            let columns: Vec<Name> = index.columns.iter().flatten().cloned().collect();
            let missing: Vec<Name> =
                keys.iter().map(|it| it.column.clone()).filter(|it| !columns.contains(it)).collect();
            if !index.unique || missing.is_empty() || self.index_stays(scope, table, index) {
                continue;
            }
            self.edit(*at, index.open..index.open, format!("{}, ", list(&missing)));
            let all: Vec<Name> = missing.iter().chain(&columns).cloned().collect();
            if let Some(uniques) = self.uniques.get_mut(table)
                && let Some(unique) = uniques.iter_mut().find(|it| it.index == index.name)
            {
                unique.columns = all;
                unique.leading = missing.first().cloned();
            }
        }
    }

    /// Takes a constraint out of the line of its column.
    fn cut(&mut self, at: usize, constraint: &Constraint) {
        let before = self.declaration.statements[at].sql[..constraint.at.start].trim_end().len();
        self.edit(at, before..constraint.at.end, "");
    }

    fn replace_unique(&mut self, table: &QName, old: &[Name], new: Vec<Name>) {
        if let Some(uniques) = self.uniques.get_mut(table)
            && let Some(unique) = uniques.iter_mut().find(|it| it.columns == old && it.index.is_none())
        {
            unique.leading = new.first().cloned();
            unique.columns = new;
        }
    }

    /// Gives a table a unique key on these columns, in any order, where it has none.
    fn ensure_unique(&mut self, table: &QName, columns: &[Name]) {
        let wanted: BTreeSet<&Name> = columns.iter().collect();
        let has = self.uniques.get(table).into_iter().flatten().any(|it| {
            !it.partial
                && it.plain
                && it.columns.len() == wanted.len()
                && it.columns.iter().all(|it| wanted.contains(it))
        });
        let Some(facts) = self.model.tables.get(table).filter(|_| !has) else { return };
        self.element(table, facts, format!("UNIQUE ({})", list(columns)));
        let unique = Unique {
            columns: columns.to_vec(),
            leading: columns.first().cloned(),
            partial: false,
            plain: true,
            index: None,
        };
        self.uniques.entry(table.clone()).or_default().push(unique);
    }

    /// Foreign keys between scoped tables carry the key, so that no row can refer to another tenant's.
    fn references(&mut self, scope: Scope<'_>, table: &QName, facts: &Facts, keys: &[KeyColumn]) {
        for (at, constraint) in &facts.constraints {
            let Rule::Foreign(foreign) = &constraint.rule else { continue };
            let to = self.model.resolve(&foreign.to);
            let theirs = match scope.tenancy.class(&to) {
                Some(Class::Scoped(theirs)) => theirs.clone(),
                _ => continue,
            };
            let target = self.target(&to, foreign);
            let shared = keys.iter().zip(&theirs).take_while(|(one, other)| one.level == other.level);
            let pairs: Vec<(Name, Name)> =
                shared.map(|(one, other)| (one.column.clone(), other.column.clone())).collect();
            let has = |pair: &(Name, Name)| {
                foreign.columns.iter().zip(&target).any(|(own, there)| (own, there) == (&pair.0, &pair.1))
            };
            let missing: Vec<(Name, Name)> = pairs.iter().filter(|pair| !has(pair)).cloned().collect();
            if missing.is_empty() {
                self.ensure_unique(&to, &target);
                continue;
            }
            if self.stays(scope, table, constraint, &foreign.columns) {
                continue;
            }
            if let Some(report) = self.can_not_carry(foreign, &missing[0].0) {
                let place = self.model.word(self.declaration, *at, constraint.at.clone(), "this reference");
                self.fault(report, place);
                continue;
            }
            let columns: Vec<Name> = missing.iter().map(|it| it.0.clone()).chain(foreign.columns.clone()).collect();
            let there: Vec<Name> = missing.iter().map(|it| it.1.clone()).chain(target).collect();
            self.ensure_unique(&to, &there);
            let text = self.foreign_key(constraint, foreign, &to, &columns, &there);
            if constraint.column.is_some() {
                self.cut(*at, constraint);
                self.element(table, facts, text);
            } else {
                self.edit(*at, constraint.at.clone(), text);
            }
        }
    }

    /// The columns that a foreign key refers to.
    fn target(&self, to: &QName, foreign: &Foreign) -> Vec<Name> {
        if !foreign.to_columns.is_empty() {
            return foreign.to_columns.clone();
        }
        self.shape.tables.get(to).map(|it| it.primary.clone()).unwrap_or_default()
    }

    /// Why a foreign key can't have the tenant's key in front.
    fn can_not_carry(&self, foreign: &Foreign, key: &Name) -> Option<Report> {
        let report = |code, message: String, help: &str| Some(Report::error(code, message).help(help));
        if matches!(foreign.on_delete, 'n' | 'd') && self.major < 15 {
            return report(
                "tenancy::set_null",
                format!("ON DELETE SET NULL would set {key} too: a server before 15 sets all columns of the key"),
                "choose another action, upgrade the server, or keep the reference as it is, with a reason",
            );
        }
        if matches!(foreign.on_update, 'n' | 'd') {
            return report(
                "tenancy::set_null",
                format!("ON UPDATE would set {key} too: it sets all columns of the key"),
                "leave ON UPDATE out: keys of rows don't change",
            );
        }
        if foreign.match_full && foreign.columns.len() > 1 {
            return report(
                "tenancy::match_full",
                format!("MATCH FULL with {key} in front would refuse rows that refer to nothing"),
                "use MATCH SIMPLE, with a CHECK that the columns are null together",
            );
        }
        None
    }

    /// A foreign key with these columns, and else as it was declared.
    fn foreign_key(
        &self,
        constraint: &Constraint,
        foreign: &Foreign,
        to: &QName,
        columns: &[Name],
        there: &[Name],
    ) -> String {
        let listed = |names: &[Name]| match names.split_last() {
            Some((last, rest)) if foreign.period => {
                list(rest.iter().map(ToString::to_string).chain([format!("PERIOD {last}")]))
            }
            _ => list(names),
        };
        let name = named(constraint);
        let mut text = format!("{name}FOREIGN KEY ({}) REFERENCES {to} ({})", listed(columns), listed(there));
        let action = |letter: char| ACTIONS.iter().find(|it| it.0 == letter).map(|it| it.1);
        if let Some(action) = action(foreign.on_update) {
            text += &format!(" ON UPDATE {action}");
        }
        if let Some(action) = action(foreign.on_delete) {
            text += &format!(" ON DELETE {action}");
            if matches!(foreign.on_delete, 'n' | 'd') {
                let set = if foreign.set_columns.is_empty() { &foreign.columns } else { &foreign.set_columns };
                text += &format!(" ({})", list(set));
            }
        }
        if foreign.deferrable {
            text += " DEFERRABLE";
        }
        if foreign.deferred {
            text += " INITIALLY DEFERRED";
        }
        if !foreign.enforced {
            text += " NOT ENFORCED";
        } else if !foreign.validated {
            text += " NOT VALID";
        }
        text
    }

    /// An index that finds a tenant's rows, where none does.
    fn serve(&mut self, scope: Scope<'_>, table: &QName, facts: &Facts, keys: &[KeyColumn]) {
        let leading = |unique: &Unique| !unique.partial && unique.leading.as_ref() == Some(&keys[0].column);
        let served = self.uniques.get(table).into_iter().flatten().any(leading)
            || facts.indexes.iter().any(|(_, index)| {
                !index.partial
                    && index.btree
                    && index.columns.first().cloned().flatten().as_ref() == Some(&keys[0].column)
            });
        if served {
            return;
        }
        let columns: Vec<&str> = keys.iter().map(|it| it.column.as_str()).collect();
        let parts: Vec<&str> = [table.name.as_str()].into_iter().chain(columns).chain(["idx"]).collect();
        let name = derived(&parts, |name| !self.names.contains(&table.sibling(name.clone())));
        if self.is_kept(scope, table, &name) {
            return;
        }
        self.names.insert(table.sibling(name.clone()));
        let sql = format!("CREATE INDEX {name} ON {table} ({})", list(keys.iter().map(|it| &it.column)));
        let names = self.names_of(What::Index, table, &name, source::Rank::Key);
        self.write(sql, facts, names);
    }

    fn write(&mut self, sql: String, facts: &Facts, names: source::Names) {
        self.write_at(sql, facts.at, names);
    }

    /// The same, with the place of another statement.
    fn write_at(&mut self, sql: String, at: usize, names: source::Names) {
        let origin = self.declaration.statements[at].origin;
        self.written.push(Statement::written(sql, origin, names));
    }

    /// The names of a statement that declares something on a table.
    fn names_of(&self, class: What, table: &QName, name: &Name, rank: source::Rank) -> source::Names {
        let on = (class != What::Index).then(|| table.name.as_str().to_owned());
        let declared = source::Declared {
            class,
            namespace: Some(table.namespace.as_str().to_owned()),
            on,
            name: name.as_str().to_owned(),
            args: None,
        };
        source::Names { declares: vec![declared], ..names_about(table, rank) }
    }
}

/// The names of a statement that is about a table and declares nothing.
fn names_about(table: &QName, rank: source::Rank) -> source::Names {
    let reference = source::Reference {
        space: source::Space::Relation,
        namespaces: vec![table.namespace.as_str().to_owned()],
        name: table.name.as_str().to_owned(),
        bond: source::Bond::Firm,
    };
    source::Names { declares: vec![], refers: vec![reference], rank, key_of: None, replaces: false }
}

/// `CONSTRAINT name `, where it has one.
fn named(constraint: &Constraint) -> String {
    constraint.name.as_ref().map(|name| format!("CONSTRAINT {name} ")).unwrap_or_default()
}

/// Whether a key is, or holds, a primary key whose values mean nothing outside of the database: it is unique within
/// anything.
fn holds_surrogate(facts: &Facts, unique: &anatomy::Unique) -> bool {
    let generated = |name: &Name| {
        facts.generated.contains(name) || facts.table.columns.iter().any(|it| it.name == *name && it.generated)
    };
    let primary = facts.constraints.iter().find_map(|(_, constraint)| match &constraint.rule {
        Rule::Unique(it) if it.primary => Some(&it.columns),
        _ => None,
    });
    primary.is_some_and(|primary| {
        primary.iter().any(generated) && primary.iter().all(|it| unique.columns.contains(it))
    })
}

fn keeps_surrogates(scope: Scope<'_>) -> bool {
    scope.settings.primary_keys != Some(PrimaryKeys::Scope) && !scope.tenancy.distributed
}

/// The default of a table's key, as SQL.
fn default_of(scope: Scope<'_>, table: &QName, own: Option<&TableSettings>) -> Option<String> {
    match own.and_then(|it| it.default.as_ref()).map(|it| it.get_ref()) {
        Some(TableDefault::Value(value)) => return Some(classify::literal(value)),
        Some(TableDefault::Is(false)) => return None,
        Some(TableDefault::Is(true)) => return scope.tenancy.default.clone(),
        None => {}
    }
    let meant = match &scope.settings.default_for {
        None => true,
        Some(patterns) => patterns.iter().any(|it| classify::matches(it.get_ref(), table)),
    };
    scope.tenancy.default.clone().filter(|_| meant)
}
