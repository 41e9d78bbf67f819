//! What the rows of the live side may hold against a plan: the questions, from the statements of its steps. Pure;
//! asking them is `apply`'s.

use std::collections::{BTreeMap, BTreeSet};

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterDomainStmt, AlterObjectSchemaStmt, AlterTableStmt, AlterTableType, ConstrType, IndexStmt, Node,
    ObjectType, RenameStmt, TypeName, UpdateStmt,
};

use crate::name::{Literal, list};
use crate::plan::file::FileStep;
use crate::plan::relocate::STOPS_IF;
use crate::source::syntax;

mod bound;
mod constraint;
mod tree;

pub use bound::Bound;
use bound::bound;
use tree::{
    asks_for_null, assignments, beside, cast, column, commands, default_of, generated, is_cast, is_column,
    is_spelled, looked_up, may_fail, named, none_of, quoted, range, source, strings, text, tree,
};

/// A question about the rows of a table that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub step: u32,
    /// As SQL writes it.
    pub table: String,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Rows that satisfy the condition make the step fail.
    /// `with`: columns that the condition speaks of and the plan adds, each with what it will hold.
    Rows { condition: String, fault: String, with: Vec<Term> },
    /// Rows for which the expression fails or is null get no value.
    Value { column: String, expression: String, pending: Option<String> },
    /// A column gets another type: rows for which the expression fails, or whose value does not come back. `spelled`: the
    /// new type spells values in its own way, so that of a text no more is asked than that it can be read.
    Cast { column: String, expression: String, spelled: bool },
    /// A column gets another type by a cast that is declared, or that spells values in its own way: rows whose value then
    /// reads otherwise are told, and stop nothing.
    Spelling { column: String, expression: String },
    /// Rows that are alike in all of the terms.
    Duplicates { of: Vec<Term>, nulls_too: bool, condition: Option<String> },
    /// Rows of which two may not be there together: each expression with the operator that is not to hold for both.
    Conflicts { of: Vec<(Term, String)>, condition: Option<String> },
    /// Values of a domain for which the condition, of `value`, holds.
    Domain { condition: String, fault: String },
    /// Rows whose partner is missing. `period`: the last of the columns are ranges, and that of the row has to lie within
    /// those of its partners together.
    Orphans { columns: Vec<String>, to: String, to_columns: Vec<String>, period: bool },
    /// Rows of `child` outside the bound; rows of the parent's default partition inside of it.
    /// `leaving`: what the plan takes out of partitioned tables.
    Bound { child: Option<String>, bound: Bound, leaving: BTreeSet<String> },
    /// Room for an index over the expressions.
    Index { columns: Vec<String> },
    /// Room for the table once more.
    Rewrite,
    /// Triggers that run for each row that is updated, but for those of the plan itself.
    Triggers { own: BTreeSet<String> },
    /// Rows whose entries are too long for indexes that are B-trees: one look at the rows for all of the table.
    TooLong { of: Vec<Entry> },
    /// The plan makes a trigger that follows what is written to the table: whether rows come by a subscription, whose worker
    /// fires none.
    Followed,
    /// The table, and what bears its name, goes to another namespace. `renamed`: what has another name by then, here or
    /// there; `leaving`: what the plan takes away.
    Place { namespace: String, renamed: BTreeMap<String, String>, leaving: BTreeSet<String> },
    /// A namespace of the table's name comes.
    Namespace,
}

/// What rows are compared by: as the plan names it, and as an expression over the rows that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub name: String,
    pub value: String,
}

/// What an index has of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub step: u32,
    pub index: String,
    /// Columns that are in it as they stand in the table.
    pub columns: Vec<String>,
    /// What is computed for it: how far that is compressed, only the index shows.
    pub computed: Vec<String>,
    pub condition: Option<String>,
}

/// The questions that the steps of a plan raise, each once. A statement that can't be parsed raises none.
pub fn probes(plan: &[FileStep], steps: &[&FileStep]) -> Vec<Probe> {
    let mut asked = Asked::default();
    // Where a run goes on, they are there already.
    let made = plan.iter().flat_map(|step| syntax::parse(&step.sql).unwrap_or_default());
    let own: BTreeSet<String> = made.filter_map(|it| trigger(&it)).collect();
    let parsed: Vec<(&FileStep, NodeEnum)> =
        steps.iter().filter_map(|step| Some((*step, syntax::statement(&step.sql)?))).collect();
    parsed.iter().for_each(|(_, statement)| asked.note_names(statement));
    for (step, statement) in &parsed {
        asked.note(step, statement);
        asked.note_looked_up(step, statement);
    }
    for step in steps {
        asked.step = step.id;
        for table in syntax::parse(&step.sql).unwrap_or_default().iter().filter_map(followed) {
            asked.push(asked.live(table), What::Followed);
        }
    }
    for (step, statement) in &parsed {
        asked.step = step.id;
        asked.ask(statement);
        asked.stop(step, statement);
        for table in &step.rewrites {
            asked.push(asked.live(table.clone()), What::Rewrite);
        }
        // A copy changes no row of the table.
        if let Some(batch) = step.batch.as_ref().filter(|it| it.into.is_none()) {
            asked.push(asked.live(batch.table.clone()), What::Triggers { own: own.clone() });
        }
    }
    asked.probes
}

/// The name of the trigger that a statement makes.
fn trigger(statement: &NodeEnum) -> Option<String> {
    match statement {
        NodeEnum::CreateTrigStmt(it) => Some(it.trigname.clone()),
        _ => None,
    }
}

/// The table whose rows a statement makes a trigger for.
fn followed(statement: &NodeEnum) -> Option<String> {
    match statement {
        NodeEnum::CreateTrigStmt(it) if it.row => it.relation.as_ref().and_then(named),
        _ => None,
    }
}

/// A cast to an enum that the plan makes: of what, whether to an array, and the labels that there are.
struct Label {
    from: String,
    several: bool,
    labels: Vec<String>,
}

#[derive(Default)]
struct Asked {
    step: u32,
    /// Tables that the plan makes.
    new_tables: BTreeSet<String>,
    /// What columns that the plan adds or fills hold in rows that exist: `None` is null.
    values: BTreeMap<(String, String), Option<String>>,
    added: BTreeSet<(String, String)>,
    /// The types of columns that the plan adds, and the columns that such of another type take the place of.
    types: BTreeMap<(String, String), TypeName>,
    places: BTreeMap<(String, String), String>,
    /// What columns that the plan renames are called on the live side.
    columns: BTreeMap<(String, String), String>,
    /// Tables that the plan detaches or drops.
    leaving: BTreeSet<String>,
    /// What relations that the plan renames or moves are called on the live side, by what they are called then.
    renamed: BTreeMap<String, String>,
    /// The same of those that are renamed, in order.
    renames: Vec<(String, String)>,
    /// Partitioned tables of the plan's that take the name of a table which becomes one of their partitions.
    homes: BTreeSet<String>,
    /// Constraints that the plan validates, by what they are of and their names.
    validated: BTreeSet<(String, String)>,
    /// Enums that the plan makes, with their labels.
    enums: BTreeMap<String, Vec<String>>,
    probes: Vec<Probe>,
}

impl Asked {
    fn push(&mut self, table: String, what: What) {
        let known = self.probes.iter().any(|it| it.table == table && it.what == what);
        if !known && !self.new_tables.contains(&table) {
            self.probes.push(Probe { step: self.step, table, what });
        }
    }

    /// What a table is called on the live side.
    fn live(&self, table: String) -> String {
        self.renamed.get(&table).cloned().unwrap_or(table)
    }

    fn note_names(&mut self, statement: &NodeEnum) {
        match statement {
            NodeEnum::RenameStmt(rename) => self.rename(rename),
            NodeEnum::AlterObjectSchemaStmt(alter) => {
                if let Some(range) = &alter.relation
                    && let Some(before) = named(range)
                {
                    let after = format!("{}.{}", quoted(&alter.newschema), quoted(&range.relname));
                    self.renamed.insert(after, self.live(before));
                }
            }
            _ => {}
        }
    }

    /// Notes what the plan makes, so that nothing is asked of what is not there yet.
    fn note(&mut self, step: &FileStep, statement: &NodeEnum) {
        // Partitions and children get a column, and its values, with their table: they are locked with it.
        let family = |of: String| -> BTreeSet<String> {
            step.locks.iter().map(|it| it.relation.clone()).chain([of]).collect()
        };
        match statement {
            NodeEnum::CreateStmt(create) => self.new_tables.extend(create.relation.as_ref().and_then(named)),
            NodeEnum::CreateEnumStmt(create) => {
                let labels = create.vals.iter().filter_map(|it| match &it.node {
                    Some(NodeEnum::String(label)) => Some(label.sval.clone()),
                    _ => None,
                });
                self.enums.insert(strings(&create.type_name).join("."), labels.collect());
            }
            NodeEnum::AlterTableStmt(alter) => {
                let Some(table) = alter.relation.as_ref().and_then(named) else { return };
                for (_, attached) in commands(alter, AlterTableType::AtAttachPartition) {
                    if let Some(NodeEnum::PartitionCmd(it)) = attached.and_then(|it| it.node.as_ref())
                        && let Some(child) = it.name.as_ref().and_then(named)
                        && child != table
                        && self.live(child) == table
                    {
                        // Its rows are those that stand under the name now.
                        self.new_tables.remove(&table);
                        self.homes.insert(table.clone());
                    }
                }
                for (_, detached) in commands(alter, AlterTableType::AtDetachPartition) {
                    if let Some(NodeEnum::PartitionCmd(it)) = detached.and_then(|it| it.node.as_ref()) {
                        self.leaving.extend(it.name.as_ref().and_then(named));
                    }
                }
                let validated = commands(alter, AlterTableType::AtValidateConstraint).map(|it| quoted(it.0));
                let live = self.live(table.clone());
                self.validated.extend(validated.map(|it| (live.clone(), it)));
                for column in commands(alter, AlterTableType::AtAddColumn).filter_map(|it| column(it.1)) {
                    for member in family(table.clone()) {
                        let at = (self.live(member), quoted(&column.colname));
                        let value = default_of(column);
                        self.added.insert(at.clone());
                        self.types.extend(column.type_name.clone().map(|it| (at.clone(), it)));
                        self.values.entry(at).or_insert(value);
                    }
                }
            }
            NodeEnum::AlterDomainStmt(alter) if alter.subtype == "V" => {
                self.validated.insert((strings(&alter.type_name).join("."), quoted(&alter.name)));
            }
            NodeEnum::DropStmt(drop) => self.leaving.extend(drop.objects.iter().filter_map(|it| match &it.node {
                Some(NodeEnum::List(name)) => Some(strings(&name.items).join(".")),
                _ => None,
            })),
            NodeEnum::RenameStmt(rename) if rename.rename_type == ObjectType::ObjectColumn as i32 => {
                let Some(table) = rename.relation.as_ref().and_then(named) else { return };
                let (at, before) = ((self.live(table), quoted(&rename.newname)), quoted(&rename.subname));
                self.values.insert(at.clone(), Some(before.clone()));
                self.added.insert(at.clone());
                self.columns.insert(at, before);
            }
            NodeEnum::UpdateStmt(update) => {
                let is_kept =
                    |column: &str| update.where_clause.as_deref().is_some_and(|it| asks_for_null(it, column));
                for (table, column, value) in assignments(update).into_iter().filter(|(_, column, it)| column != it)
                {
                    for member in family(table) {
                        let at = (self.live(member), column.clone());
                        // A cast to a length would cut what the assignment refuses.
                        let to = self.types.get(&at).filter(|it| it.typmods.is_empty() && is_cast(&value));
                        let cast = to.and_then(|to| cast(&format!("({value})"), to.clone()));
                        let value = cast.unwrap_or_else(|| value.clone());
                        // What has a value by then keeps it.
                        let held = match self.added.contains(&at) {
                            true => self.values.get(&at).cloned().flatten(),
                            false => Some(column.clone()),
                        };
                        let value = match held.filter(|_| is_kept(&column)) {
                            Some(held) => format!("COALESCE({held}, {value})"),
                            None => value,
                        };
                        self.values.insert(at, Some(value));
                    }
                }
            }
            _ => {}
        }
    }

    /// Notes what rows get that look it up themselves once they are touched: a step that asks whether there is
    /// something for each names what it is for.
    fn note_looked_up(&mut self, step: &FileStep, statement: &NodeEnum) {
        let NodeEnum::DoStmt(_) = statement else { return };
        let Some((table, condition)) = step.check.as_deref().and_then(none_of) else { return };
        let table = self.live(table);
        let looked_up = tree(&condition).map(|it| looked_up(&it)).unwrap_or_default();
        self.values.extend(looked_up.into_iter().map(|(column, value)| ((table.clone(), column), Some(value))));
    }

    fn ask(&mut self, statement: &NodeEnum) {
        match statement {
            NodeEnum::UpdateStmt(update) => self.update(update),
            NodeEnum::IndexStmt(index) => self.index(index),
            NodeEnum::AlterTableStmt(alter) => self.alter(alter),
            NodeEnum::CreateStmt(create) => {
                let parent = create.inh_relations.first().and_then(range).and_then(named);
                if let (Some(parent), Some(bound)) = (parent, create.partbound.as_ref().and_then(bound))
                    && !self.homes.contains(&parent)
                {
                    let leaving = self.leaving.clone();
                    self.push(parent, What::Bound { child: None, bound, leaving });
                }
            }
            NodeEnum::AlterObjectSchemaStmt(alter) => self.place(alter),
            NodeEnum::AlterDomainStmt(alter) => self.domain(alter),
            // One that comes anew in the place of another takes over its values.
            NodeEnum::CreateDomainStmt(create) => {
                let domain = strings(&create.domainname).join(".");
                for it in create.constraints.iter().filter_map(|it| it.node.as_ref()) {
                    self.of_domain(&domain, it);
                }
            }
            NodeEnum::CreateSchemaStmt(create) if !create.if_not_exists => {
                self.push(quoted(&create.schemaname), What::Namespace);
            }
            _ => {}
        }
    }

    fn domain(&mut self, alter: &AlterDomainStmt) {
        let domain = strings(&alter.type_name).join(".");
        let constraint = alter.def.as_deref().and_then(|it| it.node.as_ref());
        match (alter.subtype.as_str(), constraint) {
            ("O", _) => {
                let fault = "are null, which the domain no longer allows".to_owned();
                self.push(domain, What::Domain { condition: "value IS NULL".into(), fault });
            }
            ("C", Some(constraint)) => self.of_domain(&domain, constraint),
            _ => {}
        }
    }

    fn of_domain(&mut self, domain: &str, constraint: &NodeEnum) {
        let NodeEnum::Constraint(it) = constraint else { return };
        if it.contype == ConstrType::ConstrCheck as i32
            && self.holds(domain, it)
            && let Some(expression) = it.raw_expr.as_deref().and_then(text)
        {
            let fault = format!("break the check {} of the domain", quoted(&it.conname));
            self.push(domain.to_owned(), What::Domain { condition: format!("NOT ({expression})"), fault });
        }
    }

    /// Notes what a relation that gets another name is called now.
    fn rename(&mut self, rename: &RenameStmt) {
        let whole = [ObjectType::ObjectTable, ObjectType::ObjectIndex, ObjectType::ObjectSequence];
        let is_whole = whole.iter().any(|it| rename.rename_type == *it as i32);
        if let Some(range) = rename.relation.as_ref().filter(|_| is_whole)
            && let Some(before) = named(range)
        {
            let after = format!("{}.{}", quoted(&range.schemaname), quoted(&rename.newname));
            let now = self.live(before);
            self.renames.push((now.clone(), after.clone()));
            self.renamed.insert(after, now);
        }
    }

    fn place(&mut self, alter: &AlterObjectSchemaStmt) {
        let Some(name) = alter.relation.as_ref().and_then(named) else { return };
        let (renamed, table) = (self.renames.iter().cloned().collect(), self.live(name));
        let (namespace, leaving) = (quoted(&alter.newschema), self.leaving.clone());
        self.push(table, What::Place { namespace, renamed, leaving });
    }

    /// A step that only asks has its question in its check.
    fn stop(&mut self, step: &FileStep, statement: &NodeEnum) {
        let NodeEnum::DoStmt(_) = statement else { return };
        let Some((table, condition)) = step.check.as_deref().and_then(none_of) else { return };
        let said = step.summary.strip_prefix(STOPS_IF).unwrap_or(&step.summary);
        let fault = said.strip_prefix(&format!("rows of {table} ")).unwrap_or(said).to_owned();
        self.push(self.live(table), What::Rows { condition, fault, with: vec![] });
    }

    fn update(&mut self, update: &UpdateStmt) {
        let pending = update.where_clause.as_deref().and_then(text);
        for (table, column, expression) in assignments(update) {
            let at = (self.live(table), column.clone());
            let (table, is_added) = (at.0.clone(), self.added.contains(&at));
            let pending = match is_added {
                true => update.where_clause.as_deref().and_then(|it| beside(it, &column)),
                false => pending.clone(),
            };
            if let Some(label) = self.label(&expression) {
                self.labels(table, &column, &label);
                continue;
            }
            if let Some((place, to)) = self.retyped(&at, &expression, pending.as_deref()) {
                let spelled = is_spelled(&to);
                if let Some(expression) = cast(&format!("({expression})"), to) {
                    self.places.insert(at, place.clone());
                    self.push(
                        table.clone(),
                        What::Cast { column: place.clone(), expression: expression.clone(), spelled },
                    );
                    if spelled {
                        self.push(table, What::Spelling { column: place, expression });
                    }
                }
                continue;
            }
            let place = tree(&expression).and_then(|it| source(&it)).filter(|it| *it != column && is_added);
            if let (Some(place), true) = (place, !is_column(&expression)) {
                self.push(table.clone(), What::Spelling { column: place, expression: expression.clone() });
            }
            // A row that is touched looks its value up, which another step asks for.
            if column == expression {
                continue;
            }
            // What is filled whatever it holds is a copy of another column, and null where that is.
            let all = update.where_clause.as_deref().and_then(text);
            if all.is_some_and(|it| !it.contains(&format!("{column} IS NULL"))) && is_column(&expression) {
                continue;
            }
            self.push(table, What::Value { column, expression, pending });
        }
    }

    /// The column that a new one takes the place of with another type, and that type: where no more is done to values than
    /// to cast them.
    fn retyped(
        &self,
        at: &(String, String),
        expression: &str,
        pending: Option<&str>,
    ) -> Option<(String, TypeName)> {
        let to = self.types.get(at)?;
        let place = source(&tree(expression)?)?;
        (place != at.1 && pending == Some(&format!("{place} IS NOT NULL"))).then(|| (place, to.clone()))
    }

    /// What an expression casts to an enum that the plan makes, or to an array of it.
    fn label(&self, expression: &str) -> Option<Label> {
        let Some(NodeEnum::SelectStmt(select)) = syntax::statement(&format!("SELECT {expression}")) else {
            return None;
        };
        let Some(NodeEnum::ResTarget(target)) = select.target_list.into_iter().next()?.node else { return None };
        let Some(NodeEnum::TypeCast(cast)) = target.val?.node else { return None };
        let to = cast.type_name?;
        let labels = self.enums.get(&strings(&to.names).join("."))?.clone();
        Some(Label { from: text(cast.arg.as_deref()?)?, several: !to.array_bounds.is_empty(), labels })
    }

    /// Asks for values that are no label of the enum that the column gets.
    fn labels(&mut self, table: String, column: &str, label: &Label) {
        let labels = list(label.labels.iter().map(|it| Literal(it)));
        let (from, none) = (&label.from, format!("<> ALL (ARRAY[{labels}]::text[])"));
        let condition = match label.several {
            true => {
                format!("EXISTS (SELECT FROM unnest(({from})::text[]) AS of_it (label) WHERE of_it.label {none})")
            }
            false => format!("({from})::text {none}"),
        };
        let fault = format!("have a value for {column} that is no label of its type");
        self.push(table, What::Rows { condition, fault, with: vec![] });
    }

    fn index(&mut self, index: &IndexStmt) {
        let Some(table) = index.relation.as_ref().and_then(named).map(|it| self.live(it)) else { return };
        let elements: Option<Vec<Term>> = index.index_params.iter().map(|it| self.element(&table, it)).collect();
        let Some(of) = elements else { return };
        let columns: Vec<String> = of.iter().map(|it| it.value.clone()).collect();
        let condition = index.where_clause.as_deref().and_then(text);
        let computed = of.iter().map(|it| &it.name).filter(|it| !is_column(it));
        for expression in computed.chain(&condition).filter(|it| may_fail(it)).cloned().collect::<Vec<_>>() {
            self.computes(&table, &expression, format!("can't be in the index {}", quoted(&index.idxname)));
        }
        let condition = match condition.map(|it| self.over(&table, &it)) {
            Some(None) => return self.push(table, What::Index { columns }),
            known => known.flatten(),
        };
        if index.unique {
            let (condition, nulls_too) = (condition.clone(), index.nulls_not_distinct);
            self.push(table.clone(), What::Duplicates { of, nulls_too, condition });
        }
        if index.access_method.is_empty() || index.access_method == "btree" {
            let beside = index.index_including_params.iter().filter_map(|it| Some(self.element(&table, it)?.value));
            let all = columns.iter().cloned().chain(beside).collect();
            self.long(&table, quoted(&index.idxname), all, condition);
        }
        self.push(table, What::Index { columns });
    }

    /// Asks for rows whose entry would be too long.
    fn long(&mut self, table: &str, index: String, values: Vec<String>, condition: Option<String>) {
        let (columns, computed) = values.into_iter().partition(|it| is_column(it));
        let entry = Entry { step: self.step, index, columns, computed, condition };
        let of_table = self.probes.iter_mut().filter(|it| it.table == table).find_map(|it| match &mut it.what {
            What::TooLong { of } => Some(of),
            _ => None,
        });
        match of_table {
            Some(of) => of.push(entry),
            None => self.push(table.to_owned(), What::TooLong { of: vec![entry] }),
        }
    }

    /// Asks for rows that an expression fails for.
    fn computes(&mut self, table: &str, expression: &str, fault: String) {
        if let Some(expression) = self.over(table, expression) {
            // Never true, and computed for each row.
            let condition = format!("num_nulls({expression}) > 1");
            self.push(table.to_owned(), What::Rows { condition, fault, with: vec![] });
        }
    }

    fn element(&self, table: &str, element: &Node) -> Option<Term> {
        let Some(NodeEnum::IndexElem(element)) = &element.node else { return None };
        let term = match &element.expr {
            Some(expression) => {
                let name = text(expression)?;
                Term { value: self.over(table, &name)?, name }
            }
            None => self.term(table, &quoted(&element.name))?,
        };
        match strings(&element.collation).join(".") {
            collation if collation.is_empty() => Some(term),
            collation => Some(Term { value: format!("({} COLLATE {collation})", term.value), ..term }),
        }
    }

    /// What a column holds in rows that exist; nothing where that is null or not known.
    fn value(&self, table: &str, column: &str) -> Option<String> {
        match self.values.get(&(table.to_owned(), column.to_owned())) {
            None => Some(column.to_owned()),
            Some(value) => value.as_ref().map(|it| format!("({it})")),
        }
    }

    /// What those of the columns hold that the plan adds. Nothing where that is not known, or one that is there changes.
    fn with(&self, table: &str, columns: &[String]) -> Option<Vec<Term>> {
        let at = |column: &String| (table.to_owned(), column.clone());
        let changed = columns.iter().filter(|it| self.values.contains_key(&at(it)));
        let term = |column: &String| {
            let value = self.value(table, column).filter(|_| self.added.contains(&at(column)))?;
            Some(Term { name: column.clone(), value })
        };
        changed.map(term).collect()
    }

    /// An expression over the rows that exist, whatever columns of it the plan adds.
    fn over(&self, table: &str, expression: &str) -> Option<String> {
        let columns: Vec<String> = syntax::columns(expression).iter().map(|it| quoted(it)).collect();
        let with = self.with(table, &columns)?;
        if with.is_empty() {
            return Some(expression.to_owned());
        }
        let with = list(with.iter().map(|it| format!("{} AS {}", it.value, it.name)));
        Some(format!("(SELECT {expression} FROM (SELECT {with}) AS tenantry_with)"))
    }

    fn term(&self, table: &str, column: &str) -> Option<Term> {
        let name = self.places.get(&(table.to_owned(), column.to_owned())).cloned();
        Some(Term { name: name.unwrap_or_else(|| column.to_owned()), value: self.value(table, column)? })
    }

    fn alter(&mut self, alter: &AlterTableStmt) {
        let Some(parent) = alter.relation.as_ref().and_then(named) else { return };
        let table = self.live(parent.clone());
        for command in &alter.cmds {
            let Some(NodeEnum::AlterTableCmd(command)) = &command.node else { continue };
            let definition = command.def.as_deref();
            match AlterTableType::try_from(command.subtype) {
                Ok(AlterTableType::AtAddColumn) => {
                    let Some(column) = column(definition) else { continue };
                    if let Some(expression) = generated(column).filter(|it| may_fail(it)) {
                        let fault = format!("have no value for {}, which is generated", quoted(&column.colname));
                        self.computes(&table, &expression, fault);
                    }
                }
                Ok(AlterTableType::AtSetNotNull) => self.required(&table, &quoted(&command.name)),
                Ok(AlterTableType::AtAlterColumnType) => {
                    let Some(column) = column(definition) else { continue };
                    let name = quoted(&command.name);
                    let using = column.raw_default.as_deref().and_then(text);
                    if let Some(label) = using.as_deref().and_then(|it| self.label(it)) {
                        self.labels(table.clone(), &name, &label);
                        continue;
                    }
                    let spelled = column.type_name.as_ref().is_some_and(is_spelled);
                    let data_type = column.type_name.clone().and_then(|it| cast(&name, it));
                    if let Some(expression) = using.or(data_type) {
                        let (at, value) = (name.clone(), expression.clone());
                        self.push(table.clone(), What::Cast { column: name, expression, spelled });
                        if spelled && is_cast(&value) {
                            self.push(table.clone(), What::Spelling { column: at, expression: value });
                        }
                    }
                }
                Ok(AlterTableType::AtAddConstraint) => {
                    if let Some(NodeEnum::Constraint(it)) = definition.and_then(|it| it.node.as_ref())
                        && self.holds(&table, it)
                    {
                        self.constraint(&table, it);
                    }
                }
                Ok(AlterTableType::AtAttachPartition) => {
                    if let Some(NodeEnum::PartitionCmd(it)) = definition.and_then(|it| it.node.as_ref())
                        && let Some(bound) = it.bound.as_ref().and_then(bound)
                        // A check that is proved before says the same of one that becomes its own partition.
                        && !self.homes.contains(&parent)
                    {
                        let child = it.name.as_ref().and_then(named).filter(|it| !self.new_tables.contains(it));
                        let (child, leaving) = (child.map(|it| self.live(it)), self.leaving.clone());
                        self.push(table.clone(), What::Bound { child, bound, leaving });
                    }
                }
                _ => {}
            }
        }
    }

    fn required(&mut self, table: &str, column: &str) {
        if let Some(before) = self.columns.get(&(table.to_owned(), column.to_owned())).cloned() {
            return self.required(table, &before);
        }
        if !self.values.contains_key(&(table.to_owned(), column.to_owned())) {
            let fault = format!("have no value for {column}, which becomes required");
            let condition = format!("{column} IS NULL");
            self.push(table.to_owned(), What::Rows { condition, fault, with: vec![] });
        }
    }
}

#[cfg(test)]
mod tests;
