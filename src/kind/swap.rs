//! What the server can't alter about a type in use: the type is renamed aside, the new one takes its name, every
//! column is converted, and the old one goes. Enums lose labels this way and domains change their base.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::column::Column;
use crate::kind::domain_constraint::DomainConstraint;
use crate::kind::{Definition, Kind, Object, ObjectId, comment, index_partition, row_type, table};
use crate::lock::Lock;
use crate::name::{Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Families, Schema, Sides};

/// Where values of a type stand.
#[derive(Debug, Default)]
pub(super) struct Users<'a> {
    /// Columns of the type itself or of arrays of it.
    pub columns: Vec<&'a Column>,
    /// Domains over it, ranges of it and composite types with it, also by way of each other.
    pub types: BTreeSet<ObjectId>,
    /// Relations with a column of it or of one of those types.
    pub relations: BTreeSet<QName>,
}

impl Users<'_> {
    /// A column that has values of the domain only inside of others: in an array, a row or a range.
    pub(super) fn container(&self, schema: &Schema, domain: &ObjectId) -> Option<String> {
        let is_over = |data_type: &str| data_type == super::dotted(&domain.path);
        if let Some(it) = self.columns.iter().find(|it| !is_over(&it.data_type)) {
            return Some(format!("{}.{} has an array of it", it.table, it.name));
        }
        self.types.iter().find_map(|id| {
            let users = users(schema, id);
            match schema.get(id) {
                Some(Object::Domain(it)) if it.base.ends_with("[]") => {
                    users.relations.first().map(|it| format!("{it} has an array of it as {id}"))
                }
                Some(Object::Domain(_)) => users.container(schema, id),
                _ => users.columns.first().map(|it| format!("{}.{} has it inside of {id}", it.table, it.name)),
            }
        })
    }
}

/// Finds them by what needs what.
pub(super) fn users<'a>(schema: &'a Schema, id: &ObjectId) -> Users<'a> {
    let dependents = schema.dependents();
    let mut users = Users::default();
    let mut open = vec![id.clone()];
    while let Some(next) = open.pop() {
        for dependent in dependents.get(&next).into_iter().flatten() {
            match schema.get(dependent) {
                Some(Object::Domain(_) | Object::Composite(_) | Object::RangeType(_))
                    if users.types.insert((*dependent).clone()) =>
                {
                    open.push((*dependent).clone());
                }
                Some(Object::Column(column)) if stores(column, &next, schema) => {
                    users.relations.insert(column.table.clone());
                    if next == *id {
                        users.columns.push(column);
                    }
                }
                Some(Object::MaterializedView(_)) => {
                    if let [namespace, name] = &dependent.path[..] {
                        users.relations.insert(QName::new(namespace.clone(), name.clone()));
                    }
                }
                _ => {}
            }
        }
    }
    users
}

/// Whether the column is of the type, and not one that only names it in an expression.
fn stores(column: &Column, id: &ObjectId, schema: &Schema) -> bool {
    is_of(&column.data_type, id, schema)
}

fn is_of(data_type: &str, id: &ObjectId, schema: &Schema) -> bool {
    let data_type = element(data_type);
    let multirange = match schema.get(id) {
        Some(Object::RangeType(it)) => data_type == it.multirange.to_string(),
        _ => false,
    };
    data_type == super::dotted(&id.path) || multirange
}

fn element(data_type: &str) -> &str {
    data_type.trim_end_matches("[]")
}

/// A type that is exchanged for another of the same name.
pub(super) struct Swap<'a> {
    pub id: ObjectId,
    pub name: &'a QName,
    /// TYPE or DOMAIN, as ALTER has it.
    pub word: &'static str,
    /// What makes the new one.
    pub create: Vec<Step>,
    /// What hangs on the type or on its parts has to be said again.
    pub parts: Vec<ObjectId>,
}

impl Swap<'_> {
    /// The steps, or why there are none. `using` converts a column.
    pub(super) fn steps(
        self,
        sides: &Sides<'_>,
        using: impl Fn(&Column) -> Option<String>,
    ) -> Result<Vec<Step>, String> {
        let users = users(sides.old, &self.id);
        let behind = self.columns_behind(&users, sides)?;
        let types = in_turn(&users.types, sides);
        let mut steps = vec![];
        let aside = self.aside(sides);
        let rename = Step::new(format!("ALTER {} {} RENAME TO {}", self.word, self.name, aside.name));
        let exchanged =
            std::iter::once(&self.id).chain(types.iter().copied().filter(|it| it.kind != Kind::Composite));
        steps.push(exchanged.fold(rename, |step, id| step.disturbs(id.clone(), Disturbance::Swap)));
        steps.extend(self.create.iter().cloned());
        for on in std::iter::once(&self.id).chain(&self.parts) {
            steps.extend(satellites(on, sides));
        }
        let as_text = |column: &Column| drop_default(column, to_text(column), sides);
        steps.extend(behind.iter().map(|(table, columns)| converted(table, columns, as_text, sides)));
        steps.extend(types.iter().rev().flat_map(|id| self.down(id, &types, sides)));
        steps.extend(types.iter().flat_map(|id| self.up(id, &types, sides)));
        let back = |column: &Column| set_default(column, from_text(column), sides);
        steps.extend(behind.iter().map(|(table, columns)| converted(table, columns, back, sides)));
        let anew = |column: &Column| {
            let using = using(column).map(|using| format!(" USING {using}")).unwrap_or_default();
            let change = format!("ALTER COLUMN {} TYPE {}{using}", column.name, column.data_type);
            around_default(column, change, sides)
        };
        let tables = by_table(&users.columns, sides)?;
        steps.extend(tables.iter().map(|(table, columns)| converted(table, columns, anew, sides)));
        let columns: Vec<ObjectId> = behind.iter().chain(&tables).flat_map(|it| all_below(it, sides)).collect();
        steps.extend(index_partition::comments_again(&columns, sides));
        steps.push(Step::new(format!("DROP {} {aside}", self.word)));
        Ok(steps.into_iter().map(|step| step.stage(Stage::Contract)).collect())
    }

    /// A name that nothing has on either side.
    fn aside(&self, sides: &Sides<'_>) -> QName {
        let taken = |name: &Name| {
            Kind::ALL.iter().any(|kind| {
                let id = ObjectId::new(*kind, [&self.name.namespace, name]);
                sides.old.contains(&id) || sides.new.contains(&id)
            })
        };
        let mut base = self.name.name.as_str().to_owned();
        while base.len() > 55 {
            base.pop();
        }
        let mut names = std::iter::once(format!("{base}_old")).chain((2..).map(|n| format!("{base}_old{n}")));
        let name = names.find(|name| !taken(&Name::from(name.as_str()))).expect("some number is free");
        self.name.sibling(name)
    }

    /// Columns of the types that are made of it: the server changes none of these while a table uses them, so the values
    /// wait as text.
    fn columns_behind<'c>(&self, users: &Users<'_>, sides: &Sides<'c>) -> Result<Tables<'c>, String> {
        let behind: Vec<&Column> = users.types.iter().flat_map(|id| self::users(sides.old, id).columns).collect();
        by_table(&behind, sides)
    }

    /// What makes way for the exchange: domains and ranges go, and composite types let go of these.
    fn down(&self, id: &ObjectId, types: &[&ObjectId], sides: &Sides<'_>) -> Vec<Step> {
        match sides.old.get(id) {
            Some(Object::Composite(it)) => {
                let made_anew = |it: &str| types.iter().any(|id| is_made_anew(id) && is_of(it, id, sides.old));
                let attributes = it.attributes.iter().filter(|it| made_anew(&it.data_type));
                attributes.map(|attribute| it.retype(attribute, "text")).collect()
            }
            Some(Object::Domain(it)) => vec![Step::new(format!("DROP DOMAIN {}", it.name))],
            Some(Object::RangeType(it)) => vec![Step::new(format!("DROP TYPE {}", it.name))],
            _ => vec![],
        }
    }

    /// The same again, made of the new type.
    fn up(&self, id: &ObjectId, types: &[&ObjectId], sides: &Sides<'_>) -> Vec<Step> {
        let before = Sides { new: sides.old, families: &Families::default(), ..*sides };
        match sides.old.get(id) {
            Some(Object::Composite(it)) => {
                let changed = |it: &str| {
                    is_of(it, &self.id, sides.old)
                        || types.iter().any(|id| is_made_anew(id) && is_of(it, id, sides.old))
                };
                let attributes = it.attributes.iter().filter(|it| changed(&it.data_type));
                attributes.map(|attribute| it.retype(attribute, &attribute.data_type)).collect()
            }
            Some(Object::Domain(it)) => {
                let mut steps = it.create(&before);
                steps.extend(it.constraints(sides.old).filter(|it| !it.valid).map(DomainConstraint::add));
                steps.extend(satellites(id, sides));
                steps.extend(it.constraints(sides.old).flat_map(|it| satellites(&it.id(), sides)));
                steps
            }
            Some(Object::RangeType(it)) => {
                let mut steps = it.create(&before);
                steps.extend(satellites(id, sides));
                steps
            }
            _ => vec![],
        }
    }
}

/// Whether a type that is made of another is dropped and created again while that one is exchanged.
fn is_made_anew(id: &ObjectId) -> bool {
    matches!(id.kind, Kind::Domain | Kind::RangeType)
}

/// The types that stay, each after those that it is made of.
fn in_turn<'a>(types: &'a BTreeSet<ObjectId>, sides: &Sides<'_>) -> Vec<&'a ObjectId> {
    let mut left: Vec<&ObjectId> = types.iter().filter(|it| !sides.is_going(it)).collect();
    let mut order = vec![];
    while !left.is_empty() {
        let ready = left.iter().position(|id| !sides.old.needs_of(id).any(|need| left.contains(&need)));
        order.push(left.remove(ready.unwrap_or(0)));
    }
    order
}

type Tables<'a> = BTreeMap<&'a QName, Vec<&'a Column>>;

/// The columns by their tables, without those that are converted with their parent's.
fn by_table<'a>(columns: &[&'a Column], sides: &Sides<'_>) -> Result<Tables<'a>, String> {
    let mut tables = Tables::new();
    for column in columns.iter().copied() {
        let id = super::column::id(&column.table, &column.name);
        // What goes, goes before the old type does; what is made again is made with the new one.
        if sides.is_going(&id) || sides.is_going(&table::id(&column.table)) {
            continue;
        }
        let after = super::column::find(sides.new, &column.table, &column.name);
        if after.is_some_and(|after| after.data_type != column.data_type) {
            return Err(format!(
                "column {}.{} gets another type at the same time; do that in a plan of its own first",
                column.table, column.name
            ));
        }
        if table::partitions_by(sides.old, &column.table, &column.name) {
            return Err(format!(
                "rows of {} find their partition by {}, which can't get another type; make another domain or type, \
                 and another table with it",
                column.table, column.name
            ));
        }
        if let Some(reason) = row_type::refusal(sides, &column.table, "change the type of a column") {
            return Err(reason);
        }
        let parents = table::parents(sides.old, &column.table);
        let follows = parents.iter().any(|parent| columns.iter().any(|it| it.table == *parent));
        if !(column.inherited.0 && follows) {
            tables.entry(&column.table).or_default().push(column);
        }
    }
    Ok(tables)
}

/// One statement for a table and those below it.
fn converted(
    name: &QName,
    columns: &[&Column],
    actions: impl Fn(&Column) -> Vec<String>,
    sides: &Sides<'_>,
) -> Step {
    let actions = list(columns.iter().flat_map(|column| actions(column)));
    let mut step = Step::new(format!("ALTER TABLE {name} {actions}"));
    for member in table::reach(sides, name) {
        step = step.locks(&member, Lock::AccessExclusive);
    }
    for member in table::family(sides, name) {
        for column in columns {
            step = step.disturbs(super::column::id(&member, &column.name), Disturbance::Swap);
        }
        if table::stores(sides, &member) {
            step = step.rewrites(&member);
        }
    }
    if table::may_hold_rows(sides, name) {
        step = step.hazard(Code::RewriteTable, table::id(name), table::evidence(sides, name));
    }
    step
}

/// The columns in their table and in those below it.
fn all_below((name, columns): (&&QName, &Vec<&Column>), sides: &Sides<'_>) -> Vec<ObjectId> {
    let family = table::family(sides, name);
    let of = |member: &QName| columns.iter().map(|it| super::column::id(member, &it.name)).collect::<Vec<_>>();
    family.iter().flat_map(of).collect()
}

fn to_text(column: &Column) -> String {
    format!("ALTER COLUMN {0} TYPE text USING {0}::text", column.name)
}

fn from_text(column: &Column) -> String {
    format!("ALTER COLUMN {0} TYPE {1} USING {0}::{1}", column.name, column.data_type)
}

/// The server can't convert a default of the old type: it goes, and comes again once the column is of the new one.
fn around_default(column: &Column, change: String, sides: &Sides<'_>) -> Vec<String> {
    let mut actions = set_default(column, change, sides);
    if actions.len() > 1 {
        actions.insert(0, format!("ALTER COLUMN {} DROP DEFAULT", column.name));
    }
    actions
}

/// Its first half.
fn drop_default(column: &Column, change: String, sides: &Sides<'_>) -> Vec<String> {
    let drop = keeps_default(column, sides).then(|| format!("ALTER COLUMN {} DROP DEFAULT", column.name));
    drop.into_iter().chain([change]).collect()
}

/// Its second half.
fn set_default(column: &Column, change: String, sides: &Sides<'_>) -> Vec<String> {
    let after = super::default::find(sides.new, &column.table, &column.name);
    let set = after.filter(|_| keeps_default(column, sides));
    let set = set.map(|it| format!("ALTER COLUMN {} SET DEFAULT {}", column.name, it.expression));
    [change].into_iter().chain(set).collect()
}

/// Whether it has one before and after.
fn keeps_default(column: &Column, sides: &Sides<'_>) -> bool {
    let default = |schema| super::default::find(schema, &column.table, &column.name);
    default(sides.old).is_some_and(|it| !sides.is_going(&it.id())) && default(sides.new).is_some()
}

/// Owner, grants and comments of what is made anew under an old name.
fn satellites(on: &ObjectId, sides: &Sides<'_>) -> Vec<Step> {
    let mut steps = vec![];
    for id in [Kind::Owner, Kind::Grants, Kind::Comment].map(|kind| on.satellite(kind)) {
        match sides.new.get(&id).filter(|_| sides.old.contains(&id)) {
            Some(Object::Grants(grants)) => steps.extend(grants.on_creation(sides)),
            Some(other) => steps.extend(other.create(sides)),
            None => {}
        }
    }
    steps.extend(comment::on_not_null_of_swapped(on, sides));
    steps
}
