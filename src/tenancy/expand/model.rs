//! A declaration as far as tenancy has to do with it: its tables with their keys, references, indexes and policies, each
//! with the statement that says so.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::diagnostic::Place;
use crate::name::{Name, QName};
use crate::source::anatomy::{self, Anatomy, Constraint, Foreign, Index, Policy, Published, Rule, View};
use crate::source::{Class, Declaration, Space, Statement};
use crate::tenancy::{ColumnShape, Shape, TableShape};

/// What a declaration says.
#[derive(Debug, Default)]
pub struct Model {
    pub tables: BTreeMap<QName, Facts>,
    /// Each with its statement.
    pub views: Vec<(usize, View)>,
    /// What each view reads, by name.
    pub reads: BTreeMap<QName, Vec<QName>>,
    pub publications: Vec<(usize, Published)>,
    /// Partitions that are attached by a statement of their own.
    attached: BTreeMap<QName, QName>,
    places: BTreeMap<QName, Place>,
    relations: BTreeSet<QName>,
}

/// What is said of a table, each with its statement.
#[derive(Debug)]
pub struct Facts {
    pub at: usize,
    pub table: anatomy::Table,
    pub constraints: Vec<(usize, Constraint)>,
    pub indexes: Vec<(usize, Index)>,
    pub policies: Vec<Policy>,
    pub enabled: bool,
    pub forced: bool,
    /// By ALTER TABLE.
    pub not_null: Vec<Name>,
    pub defaults: Vec<Name>,
    /// Columns that ALTER TABLE gives an identity or a sequence.
    pub generated: Vec<Name>,
}

/// A unique key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    pub columns: Vec<Name>,
    /// The first column, unless an expression is first.
    pub leading: Option<Name>,
    pub partial: bool,
    /// Of columns alone.
    pub plain: bool,
    /// The name of the index, where it is no constraint.
    pub index: Option<Name>,
}

impl Facts {
    /// The table that this one is a partition of.
    pub fn whole<'a>(&'a self, model: &'a Model) -> Option<&'a QName> {
        self.table.whole.as_ref().or_else(|| model.attached.get(&self.table.name))
    }

    pub fn foreign(&self) -> impl Iterator<Item = &Foreign> {
        self.constraints.iter().filter_map(|(_, constraint)| match &constraint.rule {
            Rule::Foreign(foreign) => Some(foreign),
            Rule::Unique(_) | Rule::Exclusion { .. } => None,
        })
    }
}

impl Model {
    /// Reads a declaration.
    pub fn read(declaration: &Declaration) -> Model {
        let mut model = Model::default();
        let parsed: Vec<(usize, Anatomy)> = declaration
            .statements
            .iter()
            .enumerate()
            .filter(|(_, it)| may_matter(it))
            .filter_map(|(at, it)| Some((at, anatomy::anatomy(it)?)))
            .collect();
        // ALTER TABLE and CREATE INDEX speak of tables that may stand after them in the list.
        let mut later = vec![];
        for (at, anatomy) in parsed {
            match anatomy {
                Anatomy::Table(table) => model.table(declaration, at, table),
                Anatomy::View(view) => model.view(declaration, at, view),
                Anatomy::Publication(tables) => model.publications.extend(tables.into_iter().map(|it| (at, it))),
                other @ (Anatomy::Alter(_) | Anatomy::Index(_) | Anatomy::Policy(_)) => later.push((at, other)),
            }
        }
        for (at, anatomy) in later {
            model.more(at, anatomy);
        }
        model
    }

    fn table(&mut self, declaration: &Declaration, at: usize, table: anatomy::Table) {
        let place = self
            .word(declaration, at, 0..0, "")
            .map(|place| Place { span: name_in(declaration, at, &table.name.name).unwrap_or(place.span), ..place });
        self.places.extend(place.map(|place| (table.name.clone(), place)));
        self.relations.insert(table.name.clone());
        let facts = Facts {
            at,
            constraints: table.constraints.iter().map(|it| (at, it.clone())).collect(),
            indexes: vec![],
            policies: vec![],
            enabled: false,
            forced: false,
            not_null: vec![],
            defaults: vec![],
            generated: vec![],
            table,
        };
        self.tables.insert(facts.table.name.clone(), facts);
    }

    fn view(&mut self, declaration: &Declaration, at: usize, view: View) {
        let refers = declaration.statements[at].names.refers.iter().filter(|it| it.space == Space::Relation);
        let names = refers
            .flat_map(|it| it.namespaces.iter().map(|namespace| QName::new(namespace.as_str(), it.name.as_str())));
        self.reads.insert(view.name.clone(), names.collect());
        self.relations.insert(view.name.clone());
        self.views.push((at, view));
    }

    fn more(&mut self, at: usize, anatomy: Anatomy) {
        match anatomy {
            Anatomy::Alter(alter) => {
                if let Some(child) = alter.attaches {
                    let child = self.resolve(&child);
                    self.attached.insert(child, alter.table.clone());
                }
                let Some(facts) = self.tables.get_mut(&alter.table) else { return };
                facts.constraints.extend(alter.constraints.into_iter().map(|it| (at, it)));
                facts.enabled |= alter.enables_row_security;
                facts.forced |= alter.forces_row_security;
                facts.not_null.extend(alter.not_null);
                // pg_dump writes identities and sequences so.
                facts.generated.extend(alter.defaults.iter().cloned());
                facts.defaults.extend(alter.defaults);
            }
            Anatomy::Index(index) => {
                if let Some(name) = &index.name {
                    self.relations.insert(index.table.sibling(name.clone()));
                }
                if let Some(facts) = self.tables.get_mut(&index.table) {
                    facts.indexes.push((at, index));
                }
            }
            Anatomy::Policy(policy) => {
                if let Some(facts) = self.tables.get_mut(&policy.table) {
                    facts.policies.push(policy);
                }
            }
            Anatomy::Table(_) | Anatomy::View(_) | Anatomy::Publication(_) => {}
        }
    }

    /// The tables as [`crate::tenancy::resolve`] takes them.
    pub fn shape(&self) -> Shape {
        let table = |(name, facts): (&QName, &Facts)| {
            let columns = facts.table.columns.iter().map(|column| {
                let not_null = column.not_null;
                (column.name.clone(), ColumnShape { data_type: column.data_type.clone(), not_null })
            });
            let primary = facts.constraints.iter().find_map(|(_, constraint)| match &constraint.rule {
                Rule::Unique(unique) if unique.primary => Some(unique.columns.clone()),
                _ => None,
            });
            let whole = facts.whole(self).map(|it| self.resolve(it));
            (name.clone(), TableShape { columns: columns.collect(), primary: primary.unwrap_or_default(), whole })
        };
        Shape { tables: self.tables.iter().map(table).collect() }
    }

    /// The unique keys of every table.
    pub fn uniques(&self) -> BTreeMap<QName, Vec<Unique>> {
        let of = |facts: &Facts| {
            let constraints = facts.constraints.iter().filter_map(|(_, constraint)| match &constraint.rule {
                Rule::Unique(it) => Some(Unique {
                    leading: it.columns.first().cloned(),
                    columns: it.columns.clone(),
                    partial: false,
                    plain: true,
                    index: None,
                }),
                _ => None,
            });
            let indexes = facts.indexes.iter().filter(|(_, it)| it.unique && it.btree).map(|(_, it)| Unique {
                leading: it.columns.first().cloned().flatten(),
                columns: it.columns.iter().flatten().cloned().collect(),
                partial: it.partial,
                plain: it.columns.iter().all(Option::is_some),
                index: it.name.clone(),
            });
            constraints.chain(indexes).collect()
        };
        self.tables.iter().map(|(name, facts)| (name.clone(), of(facts))).collect()
    }

    pub fn relation_names(&self) -> BTreeSet<QName> {
        self.relations.clone()
    }

    /// The table that a name means: as it is written, or the one in public.
    pub fn resolve(&self, name: &QName) -> QName {
        let public = QName { namespace: Name::from("public"), name: name.name.clone() };
        if self.tables.contains_key(name) || !self.tables.contains_key(&public) { name.clone() } else { public }
    }

    /// Whether a table has a column from another that it inherits or is made like.
    pub fn inherits(&self, table: &QName, column: &Name) -> bool {
        let mut open: Vec<&QName> = vec![table];
        let mut seen: BTreeSet<&QName> = BTreeSet::new();
        while let Some(next) = open.pop() {
            let Some(facts) = self.tables.get(next).filter(|_| seen.insert(next)) else { continue };
            if next != table && facts.table.columns.iter().any(|it| it.name == *column) {
                return true;
            }
            open.extend(&facts.table.parents);
        }
        false
    }

    /// The tables that a view reads, through other views too.
    pub fn tables_of(&self, view: &QName) -> BTreeSet<&QName> {
        let mut open: Vec<&QName> = vec![view];
        let mut seen: BTreeSet<&QName> = BTreeSet::new();
        let mut tables = BTreeSet::new();
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            if let Some((table, _)) = self.tables.get_key_value(next) {
                tables.insert(table);
            }
            open.extend(self.reads.get(next).into_iter().flatten());
        }
        tables
    }

    pub fn table_of(&self, at: usize) -> Option<&anatomy::Table> {
        self.tables.values().find(|it| it.at == at).map(|it| &it.table)
    }

    /// The words that name a table in its declaration.
    pub fn place(&self, table: &QName) -> Option<Place> {
        self.places.get(table).cloned()
    }

    /// The words at a place in a statement; all of it where the range is empty.
    pub fn word(&self, declaration: &Declaration, at: usize, range: Range<usize>, label: &str) -> Option<Place> {
        let statement = declaration.statements.get(at)?;
        let span = if range.is_empty() { statement.origin } else { span_of(statement, &range) };
        Some(declaration.place(span, label))
    }
}

/// A part of a statement's text in the file.
fn span_of(statement: &Statement, range: &Range<usize>) -> crate::source::Span {
    let position = |at: usize| u32::try_from(statement.sql[..at].chars().count() + 1).ok();
    let start = statement.span_at(position(range.start));
    let last = statement.sql[..range.end].char_indices().next_back().map_or(range.start, |(at, _)| at);
    let end = statement.span_at(position(last));
    if end.file == start.file && end.end > start.start {
        crate::source::Span { end: end.end, ..start }
    } else {
        start
    }
}

fn name_in(declaration: &Declaration, at: usize, name: &Name) -> Option<Range<usize>> {
    let statement = &declaration.statements[at];
    let file = &declaration.files[statement.origin.file];
    Some(crate::source::find_name(file, statement.origin, name.as_str()).range())
}

/// Whether a statement can say something that tenancy looks at.
fn may_matter(statement: &Statement) -> bool {
    let declares = &statement.names.declares;
    declares.is_empty()
        || declares.iter().any(|it| {
            matches!(
                it.class,
                Class::Table
                    | Class::View
                    | Class::MaterializedView
                    | Class::Index
                    | Class::Constraint
                    | Class::Policy
                    | Class::Publication
            )
        })
}
