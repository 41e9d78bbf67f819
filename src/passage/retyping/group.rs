//! Which columns get their new type by way of a new column, and together with which others; and what speaks against it.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::column::retype::{Conversion, Retype, retype};
use crate::kind::column::{self, Column};
use crate::kind::constraint::{ForeignKey, Rule};
use crate::kind::made_name::derived;
use crate::kind::{Kind, Object, ObjectId, extension, foreign_partition, partition, publication, row_type, table};
use crate::name::{Name, QName};
use crate::passage::partitioned;
use crate::plan::batch;
use crate::schema::{Facts, Families, Schema, Sides};

/// A column on its way to another type.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub table: QName,
    /// The table and, where it is partitioned, all its partitions.
    pub family: Vec<QName>,
    pub name: Name,
    /// What the column of the new type is called until it takes the name.
    pub fresh: Name,
    /// What the column of the old type is called from then on.
    pub former: Name,
    pub old: Column,
    /// As declared, but required or not as it was.
    pub new: Column,
    /// The value of the new column by the names of the old ones, where it is declared.
    pub declared: Option<String>,
    /// What else makes a value of the new type of one of the old: a cast, or nothing where the server assigns it so.
    pub cast: String,
    /// Whether values of the old type may not fit the new one.
    pub narrows: bool,
    /// Whether values of the new type may not fit the old one.
    pub widens: bool,
    /// Whether statements that were written for the old type may fail with the new one.
    pub breaks: bool,
    /// What the old type is called by those who write to the old column once it has lost its name.
    pub former_type: String,
}

/// A type of the project's own that another one of its name takes the place of.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    pub name: QName,
    pub fresh: Name,
    pub former: Name,
    /// Labels that it loses.
    pub removed: Vec<String>,
    /// Whether it has labels that it had not.
    pub gains: bool,
}

impl Exchange {
    pub fn id(&self) -> ObjectId {
        self.id_as(&self.name.name)
    }

    pub fn id_as(&self, name: &Name) -> ObjectId {
        ObjectId::new(Kind::EnumType, [&self.name.namespace, name])
    }

    pub fn rename(&self, from: &Name, to: &Name) -> String {
        format!("ALTER TYPE {} RENAME TO {to}", self.name.sibling(from.clone()))
    }
}

impl Turn {
    pub fn id(&self) -> ObjectId {
        column::id(&self.table, &self.name)
    }

    /// The column of that name in the table and in its partitions.
    pub fn ids_as<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = ObjectId> + 'a {
        self.family.iter().map(move |it| column::id(it, name))
    }

    pub fn ids(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.ids_as(&self.name)
    }

    /// The value of the new column, by the names of the old ones.
    pub fn forth(&self) -> String {
        self.declared.clone().unwrap_or_else(|| format!("{}{}", self.name, self.cast))
    }

    /// Which rows the new column has no value in yet.
    pub fn pending(&self) -> String {
        match &self.declared {
            Some(value) => format!("{} IS NULL AND ({value}) IS NOT NULL", self.fresh),
            None => format!("{} IS NULL AND {} IS NOT NULL", self.fresh, self.name),
        }
    }
}

/// Columns that change over in one transaction, since keys refer from one to the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub turns: Vec<Turn>,
    pub types: Vec<Exchange>,
    /// Every table that has one of the columns, or a foreign key that does.
    pub tables: BTreeSet<QName>,
}

/// Columns and types that can't change over, each with the reason.
pub type InPlace = BTreeMap<ObjectId, String>;

/// The columns whose change of type would write a table of many rows anew under a lock, in groups; and for those that
/// can't get it by a new column, why.
pub fn groups(start: &Schema, desired: &Schema, facts: &Facts) -> (Vec<Group>, InPlace) {
    let replaced = BTreeSet::new();
    let sides = Sides { old: start, new: desired, facts, replaced: &replaced, families: &Families::default() };
    let (mut groups, mut in_place): (Vec<Group>, InPlace) = (vec![], BTreeMap::new());
    for object in start.of_kind(Kind::EnumType) {
        match exchanged(object, &sides) {
            Some(Ok(group)) => join(&mut groups, group, start),
            Some(Err(why)) => _ = in_place.insert(object.id(), why),
            None => {}
        }
    }
    for turn in start.of_kind(Kind::Column).filter_map(|it| turn(it, &sides)) {
        let tables = BTreeSet::from([turn.table.clone()]);
        join(&mut groups, Group { turns: vec![turn], types: vec![], tables }, start);
    }
    let is_worth_it =
        |table: &QName| sides.is_used(table) && !matches!(table::rows(&sides, table), Some(..batch::WORTH_IT));
    groups.retain(|group| group.turns.iter().any(|it| is_worth_it(&it.table)));
    for group in &mut groups {
        group.turns.sort_by(|a, b| (&a.table, &a.name).cmp(&(&b.table, &b.name)));
    }
    groups.retain(|group| {
        let Some(why) = obstacle(group, &sides) else { return true };
        in_place.extend(group.subjects().map(|it| (it, why.clone())));
        false
    });
    (groups, in_place)
}

impl Group {
    /// The tables in the order in which statements come to lock them: who writes a row that refers to another takes the
    /// table of that one second.
    pub fn in_order(&self, schema: &Schema) -> Vec<QName> {
        let keys: Vec<(QName, QName)> =
            self.turns.iter().flat_map(|it| foreign_keys(schema, &it.id()).collect::<Vec<_>>()).collect();
        let mut left: Vec<&QName> = self.tables.iter().collect();
        let mut order = vec![];
        while !left.is_empty() {
            let is_referred_to =
                |table: &QName| keys.iter().any(|(on, to)| to == table && on != table && left.contains(&on));
            // In a circle there is no order, and any will do.
            let next = left.iter().position(|it| !is_referred_to(it)).unwrap_or(0);
            order.push(left.remove(next).clone());
        }
        order
    }

    /// The tables with all their partitions, in the same order.
    pub fn families(tables: &[QName], schema: &Schema) -> Vec<QName> {
        tables.iter().flat_map(|it| partitioned::family(schema, it)).collect()
    }

    /// Whether a foreign key is added in the moment of the change, as a promise: the key that it refers to is on a
    /// partitioned table, where none can be made beside the other.
    pub fn is_promised(&self, key: &ForeignKey) -> bool {
        let comes = |it: &Turn| it.table == key.to && key.to_columns.contains(&it.name);
        self.turns.iter().any(|it| it.family.len() > 1 && comes(it))
    }

    pub fn subjects(&self) -> impl Iterator<Item = ObjectId> {
        self.turns.iter().map(Turn::id).chain(self.types.iter().map(Exchange::id))
    }
}

/// Adds what changes over together, along with all that has a table in common with it.
fn join(groups: &mut Vec<Group>, mut group: Group, start: &Schema) {
    for turn in &group.turns {
        for (on, to) in foreign_keys(start, &turn.id()) {
            group.tables.extend([on, to]);
        }
    }
    for it in groups.extract_if(.., |it| !it.tables.is_disjoint(&group.tables)).collect::<Vec<_>>() {
        group.turns.extend(it.turns);
        group.types.extend(it.types);
        group.tables.extend(it.tables);
    }
    groups.push(group);
}

/// An enum that loses labels, or their order, with all columns of it.
fn exchanged(object: &Object, sides: &Sides<'_>) -> Option<Result<Group, String>> {
    let (Object::EnumType(old), Some(Object::EnumType(new))) = (object, sides.new.get(&object.id())) else {
        return None;
    };
    if old.additions(new).is_some() {
        return None;
    }
    let name = &old.name;
    let is_free = |it: &Name| {
        let taken = |id: &ObjectId| id.path.len() == 2 && id.path[0] == name.namespace && id.path[1] == *it;
        ![sides.old, sides.new].iter().any(|at| at.objects.keys().any(taken))
    };
    let exchange = Exchange {
        name: name.clone(),
        fresh: derived(&[name.name.as_str(), "new"], is_free),
        former: derived(&[name.name.as_str(), "old"], is_free),
        removed: old.labels.iter().filter(|it| !new.labels.contains(it)).cloned().collect(),
        gains: new.labels.iter().any(|it| !old.labels.contains(it)),
    };
    let mut group = Group { turns: vec![], types: vec![], tables: BTreeSet::new() };
    let dependents = sides.old.dependents();
    for dependent in dependents.get(&object.id()).into_iter().flatten() {
        match sides.old.get(dependent) {
            // The partitioned table's statements reach its partitions.
            Some(Object::Column(column)) if sides.old.contains(&partition::id(&column.table)) => {}
            Some(Object::Column(column)) if column.generated.is_none() => {
                let Some(turn) = turn_of_enum(column, &exchange, sides) else {
                    return Some(Err(format!("{dependent} gets another type, or goes, in the same plan")));
                };
                group.tables.insert(turn.table.clone());
                group.turns.push(turn);
            }
            Some(Object::Domain(_) | Object::Composite(_) | Object::RangeType(_)) => {
                return Some(Err(format!("{dependent} is made of it")));
            }
            _ => {}
        }
    }
    group.types.push(exchange);
    (!group.turns.is_empty()).then_some(Ok(group))
}

fn turn_of_enum(old: &Column, exchange: &Exchange, sides: &Sides<'_>) -> Option<Turn> {
    let new = column::find(sides.new, &old.table, &old.name).filter(|it| it.data_type == old.data_type)?;
    let family = partitioned::family(sides.old, &old.table);
    let array = old.data_type.strip_prefix(&exchange.name.to_string())?;
    let text = if array.is_empty() { "text" } else { "text[]" };
    let cast = format!("::{text}::{}{array}", exchange.name.sibling(exchange.fresh.clone()));
    let declared = old.declared_conversion(sides);
    let (fresh, former) = beside(old, sides);
    Some(Turn {
        table: old.table.clone(),
        family,
        name: old.name.clone(),
        fresh,
        former,
        narrows: declared.is_none() && !exchange.removed.is_empty(),
        declared: declared.map(|it| format!("({it}){cast}")),
        cast,
        widens: exchange.gains,
        breaks: true,
        former_type: format!("{}{array}", exchange.name.sibling(exchange.former.clone())),
        new: Column { not_null: old.not_null.clone(), ..new.clone() },
        old: old.clone(),
    })
}

/// Names for the new column and the old one.
fn beside(column: &Column, sides: &Sides<'_>) -> (Name, Name) {
    let family = table::family(sides, &column.table);
    let free = |it: &Name| {
        let taken = |at: &&Schema| family.iter().any(|table| at.contains(&column::id(table, it)));
        ![sides.old, sides.new].iter().any(taken)
    };
    let name = column.name.as_str();
    (derived(&[name, "new"], free), derived(&[name, "old"], free))
}

/// The turn of a column whose rows the server would write anew, or read to build indexes.
fn turn(object: &Object, sides: &Sides<'_>) -> Option<Turn> {
    let (Object::Column(old), Some(Object::Column(new))) = (object, sides.new.get(&object.id())) else {
        return None;
    };
    // The partitioned table's statements reach its partitions.
    if sides.old.contains(&partition::id(&old.table)) {
        return None;
    }
    let carried = extension::carries(&old.data_type, &new.data_type, sides);
    let same = old.data_type == new.data_type && old.collation == new.collation;
    if same || carried || !table::may_hold_rows(sides, &old.table) {
        return None;
    }
    let Retype { rewrites, narrows, conversion, crosses, .. } = retype(old, new, sides);
    let family = partitioned::family(sides.old, &old.table);
    if !rewrites && !family.iter().any(|it| old.is_indexed_anew(new, it, sides)) {
        return None;
    }
    let back =
        retype(new, old, &Sides { old: sides.new, new: sides.old, families: &Families::default(), ..*sides });
    let declared = old.declared_conversion(sides).map(str::to_owned);
    // The planner refuses these.
    if (conversion == Conversion::Unknown && declared.is_none()) || old.is_filled_while_retyped(new, sides) {
        return None;
    }
    let cast = conversion.using().and_then(|it| it.strip_prefix(&old.name.to_string())).unwrap_or_default();
    let (fresh, former) = beside(old, sides);
    Some(Turn {
        table: old.table.clone(),
        family,
        name: old.name.clone(),
        fresh,
        former,
        cast: cast.to_owned(),
        narrows: narrows && declared.is_none(),
        declared,
        widens: back.narrows,
        breaks: narrows || crosses,
        former_type: old.data_type.clone(),
        new: Column { not_null: old.not_null.clone(), ..(**new).clone() },
        old: (**old).clone(),
    })
}

/// The foreign keys that need a column: the tables at either end.
fn foreign_keys<'a>(schema: &'a Schema, column: &'a ObjectId) -> impl Iterator<Item = (QName, QName)> + 'a {
    schema.of_kind(Kind::Constraint).filter_map(move |object| match object {
        Object::Constraint(it) => match &it.rule {
            Rule::Foreign(key) if schema.needs_of(&object.id()).any(|need| need == column) => {
                Some((it.table.clone(), key.to.clone()))
            }
            Rule::Foreign(_) | Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => None,
        },
        _ => None,
    })
}

/// Why the columns of a group can't get their types by way of new columns.
fn obstacle(group: &Group, sides: &Sides<'_>) -> Option<String> {
    let of_table = group.tables.iter().find_map(|it| table_obstacle(it, sides));
    let of_table = of_table.or_else(|| key_obstacle(group, sides));
    of_table.or_else(|| group.turns.iter().find_map(|it| column_obstacle(it, sides)))
}

fn table_obstacle(name: &QName, sides: &Sides<'_>) -> Option<String> {
    let table = table::find(sides.old, name)?;
    if !sides.new.contains(&table::id(name)) {
        return Some(format!("{name} goes in the same plan"));
    }
    let partitions = partitioned::family(sides.old, name);
    if partitions != partitioned::family(sides.new, name) {
        return Some(format!("{name} gets partitions, or loses some, in the same plan"));
    }
    if table::family(sides, name).len() > partitions.len() || !table::parents(sides.old, name).is_empty() {
        return Some(format!("{name} is a partition, inherits, or is inherited from"));
    }
    if let Some(why) = foreign_partition::no_rows_written(sides, name) {
        return Some(why);
    }
    if let Some(column) = row_type::stored_in(sides, name) {
        return Some(format!("rows of {name} stand in {column} as well"));
    }
    if table.of_type.is_some() {
        return Some(format!("{name} is of a type, which says its columns"));
    }
    let publication = published_whole(name, sides)?;
    Some(format!("{publication} publishes {name}, and its subscribers have no new column"))
}

/// The publication that tells subscribers of every column of the table, those to come as well, and whose subscribers need
/// each of them.
fn published_whole(name: &QName, sides: &Sides<'_>) -> Option<ObjectId> {
    let is_closed = |it: &Name| !sides.facts.open_publications.contains(it);
    let family = partitioned::family(sides.old, name);
    let mut published = sides.old.of_kind(Kind::Publication).chain(sides.old.of_kind(Kind::PublishedTable));
    published.find_map(|object| match object {
        Object::Publication(it) => (it.takes_in(name) && is_closed(&it.name)).then(|| object.id()),
        Object::PublishedTable(it) => {
            let publishes = it.columns.is_none() && family.contains(&it.table);
            (publishes && is_closed(&it.publication)).then(|| publication::id(&it.publication))
        }
        _ => None,
    })
}

/// What partitioned tables can't have beside what there is.
fn key_obstacle(group: &Group, sides: &Sides<'_>) -> Option<String> {
    for turn in group.turns.iter().filter(|it| it.family.len() > 1) {
        if let Some(it) = turn.family.iter().find(|it| table::partitions_by(sides.old, it, &turn.name)) {
            return Some(format!("rows of {it} find their partition by {}", turn.name));
        }
        let ids: BTreeSet<ObjectId> = turn.ids().collect();
        for object in sides.old.of_kind(Kind::Constraint) {
            let Object::Constraint(it) = object else { continue };
            let Rule::Foreign(key) = &it.rule else { continue };
            if !sides.old.needs_of(&object.id()).any(|need| ids.contains(need)) {
                continue;
            }
            if key.to != turn.table && turn.family.contains(&key.to) {
                return Some(format!("{} refers to a partition", object.id()));
            }
        }
    }
    None
}

fn column_obstacle(turn: &Turn, sides: &Sides<'_>) -> Option<String> {
    let (table, name) = (&turn.table, &turn.name);
    if turn.old.generated.is_some() || turn.new.generated.is_some() {
        return Some(format!("{table}.{name} is generated"));
    }
    if turn.old.identity.is_some() != turn.new.identity.is_some() {
        return Some(format!("{table}.{name} becomes an identity column, or no longer is one, in the same plan"));
    }
    if let Some(missing) = sides.new.needs_of(&turn.id()).find(|need| !sides.old.contains(need)) {
        return Some(format!("{missing} comes in the same plan"));
    }
    let mut seen: BTreeSet<ObjectId> = turn.ids().collect();
    let mut open: Vec<ObjectId> = turn.ids().collect();
    let dependents = sides.old.dependents();
    while let Some(next) = open.pop() {
        for dependent in dependents.get(&next).into_iter().flatten() {
            match sides.old.get(dependent) {
                Some(Object::Column(it)) if it.generated.is_some() => {
                    return Some(format!("{dependent} is computed from {table}.{name}, for every row"));
                }
                Some(Object::MaterializedView(_)) => {
                    return Some(format!("{dependent} reads {table}.{name}, and would be built anew"));
                }
                Some(Object::PublishedTable(it)) => {
                    return Some(format!("publication {} names {table}.{name}", it.publication));
                }
                Some(Object::Rule(_)) => return Some(format!("{dependent} names {table}.{name}")),
                Some(Object::Constraint(it)) => match &it.rule {
                    Rule::Exclusion(_) => {
                        return Some(format!("{dependent} can't be built beside reads and writes"));
                    }
                    Rule::Unique(key) if key.without_overlaps => {
                        return Some(format!("{dependent} can't be built beside reads and writes"));
                    }
                    Rule::Unique(_) | Rule::Foreign(_) | Rule::Check(_) => continue,
                },
                _ => {}
            }
            if seen.insert((*dependent).clone()) {
                open.push((*dependent).clone());
            }
        }
    }
    None
}
