//! What `INSERT … ON CONFLICT (columns)` finds: a unique index, that of a key among them, over exactly these columns
//! (`infer_arbiter_indexes` in plancat.c). And what `ON CONFLICT ON CONSTRAINT` finds: a constraint with such an index, or one
//! with EXCLUDE, by its name.

use crate::kind::constraint::{Constraint, Rule};
use crate::kind::expr::Expr;
use crate::kind::index::{Of, Subject};
use crate::kind::{Definition, Kind, Object, ObjectId, column};
use crate::name::{Name, QName, list};
use crate::plan::hazard::{Code, Hazard};
use crate::plan::{Stage, Step};
use crate::schema::{Families, Schema, Sides};

/// What an ON CONFLICT has to name to find the index.
struct Arbiter<'a> {
    table: &'a QName,
    keys: Vec<Target<'a>>,
    predicate: Option<&'a Expr>,
}

#[derive(PartialEq)]
enum Target<'a> {
    Column(&'a Name),
    Expression(&'a Expr),
}

impl Arbiter<'_> {
    /// Whether what finds `other` finds this one too.
    fn serves(&self, other: &Arbiter<'_>) -> bool {
        let has_all = |one: &Arbiter<'_>, of: &Arbiter<'_>| of.keys.iter().all(|it| one.keys.contains(it));
        self.table == other.table
            && has_all(self, other)
            && has_all(other, self)
            && (self.predicate.is_none() || self.predicate == other.predicate)
    }

    fn has_its_columns(&self, schema: &Schema) -> bool {
        self.keys.iter().all(|key| match key {
            Target::Column(name) => schema.contains(&column::id(self.table, name)),
            Target::Expression(_) => true,
        })
    }

    fn why(&self) -> String {
        format!("INSERT … ON CONFLICT {} into {} finds no unique index", self.target(), self.table)
    }

    /// `(a, lower(b)) WHERE c`.
    fn target(&self) -> String {
        let keys = list(self.keys.iter().map(|it| match it {
            Target::Column(name) => name.to_string(),
            Target::Expression(it) => it.to_string(),
        }));
        match self.predicate {
            Some(it) => format!("({keys}) WHERE {it}"),
            None => format!("({keys})"),
        }
    }
}

fn of(object: &Object) -> Option<Arbiter<'_>> {
    match object {
        Object::Constraint(it) if !it.deferrable => match &it.rule {
            Rule::Unique(key) if !key.without_overlaps => {
                let keys = key.columns.iter().map(Target::Column).collect();
                Some(Arbiter { table: &it.table, keys, predicate: None })
            }
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) | Rule::Foreign(_) => None,
        },
        Object::Index(it) if it.unique && it.valid && it.of != Of::MaterializedView => {
            let keys = it.keys.iter().map(|key| match &key.of {
                Subject::Column(name) => Target::Column(name),
                Subject::Expression(it) => Target::Expression(it),
            });
            Some(Arbiter { table: &it.table, keys: keys.collect(), predicate: it.predicate.as_ref() })
        }
        _ => None,
    }
}

/// The constraint, where ON CONSTRAINT can name it.
fn nameable(object: &Object) -> Option<&Constraint> {
    match object {
        Object::Constraint(it) if !it.deferrable => {
            matches!(it.rule, Rule::Unique(_) | Rule::Exclusion(_)).then_some(&**it)
        }
        _ => None,
    }
}

fn finds_no(constraint: &Constraint, table: &QName) -> String {
    format!("INSERT … ON CONFLICT ON CONSTRAINT {} into {table} finds none", constraint.name)
}

/// Which of the indexes that the declaration has count.
#[derive(Clone, Copy, PartialEq)]
enum Among {
    /// Those that are there all the time, and what the index itself becomes.
    Standing,
    All,
}

/// What upserts name that find the index now, and find none once the plan has changed or dropped it.
fn lost<'a>(id: &ObjectId, among: Among, sides: &Sides<'a>) -> Option<Arbiter<'a>> {
    if sides.facts.way_back { None } else { lost_on_the_way(id, among, sides) }
}

/// The same on any way.
fn lost_on_the_way<'a>(id: &ObjectId, among: Among, sides: &Sides<'a>) -> Option<Arbiter<'a>> {
    let before = of(sides.old.get(id)?)?;
    if is_nobodys(before.table, sides) {
        return None;
    }
    let serves = |object: &Object| of(object).is_some_and(|it| it.serves(&before));
    let stands =
        |it: &ObjectId| it == id || (!sides.replaced.contains(it) && sides.old.get(it).is_some_and(serves));
    let counts = |object: &Object| serves(object) && (among == Among::All || stands(&object.id()));
    if all_of(before.table, sides.new).any(counts) { None } else { Some(before) }
}

fn is_nobodys(table: &QName, sides: &Sides<'_>) -> bool {
    [&sides.facts.idle, &sides.facts.unknown].iter().any(|it| it.contains(table))
}

/// The constraint that upserts name now, and can name no more once the plan has changed or dropped it.
fn unnamed<'a>(id: &ObjectId, sides: &Sides<'a>) -> Option<&'a Constraint> {
    let before = nameable(sides.old.get(id)?)?;
    // That a column goes is told of the column.
    let mut columns = sides.old.needs_of(id).filter(|it| it.kind == Kind::Column);
    let goes = !sides.facts.way_back && sides.new.get(id).and_then(nameable).is_none();
    (goes && !is_nobodys(&before.table, sides) && columns.all(|it| sides.new.contains(it))).then_some(before)
}

/// The constraints and indexes of the table.
fn all_of<'a>(table: &'a QName, schema: &'a Schema) -> impl Iterator<Item = &'a Object> {
    let indexes =
        schema.of_kind(Kind::Index).filter(move |it| matches!(it, Object::Index(it) if it.table == *table));
    schema.of_relation(Kind::Constraint, table).chain(indexes)
}

/// Whether upserts that find the index by its columns, or its constraint by its name, find none once it is changed, so
/// that this has to wait for `contract`.
pub fn is_lost(id: &ObjectId, sides: &Sides<'_>) -> bool {
    lost(id, Among::Standing, sides).is_some() || unnamed(id, sides).is_some()
}

/// Whether the way there, from which this one may lead back, leaves no index that those upserts find.
pub fn is_lost_by_the_end(id: &ObjectId, sides: &Sides<'_>) -> bool {
    let (old, new) = if sides.facts.way_back { (sides.new, sides.old) } else { (sides.old, sides.new) };
    lost_on_the_way(id, Among::All, &Sides { old, new, families: &Families::default(), ..*sides }).is_some()
}

/// The steps that change an index, of which the one at `end` takes the old one away: where upserts lose that, it waits for
/// `contract` with all behind it.
pub fn kept_until_contract(id: &ObjectId, mut steps: Vec<Step>, end: usize, sides: &Sides<'_>) -> Vec<Step> {
    if !is_lost(id, sides) {
        return steps;
    }
    for step in &mut steps[end..] {
        step.stage = Stage::Contract;
    }
    if let Some(step) = steps.get_mut(end) {
        *step = told(id, step.clone(), sides);
    }
    steps
}

/// The steps that make an index again which had to go first: both wait for `contract` where upserts lose the old one.
pub fn after_the_end(id: &ObjectId, steps: Vec<Step>, sides: &Sides<'_>) -> Vec<Step> {
    match is_lost(id, sides) {
        true => steps.into_iter().map(|step| step.stage(Stage::Contract)).collect(),
        false => steps,
    }
}

/// The step by which the index goes, with what that breaks.
pub fn told(id: &ObjectId, step: Step, sides: &Sides<'_>) -> Step {
    match (lost(id, Among::All, sides), unnamed(id, sides)) {
        // That a column goes is told of the column.
        (Some(it), _) if it.has_its_columns(sides.new) => step.hazard(Code::UpsertTarget, id.clone(), it.why()),
        (None, Some(it)) => step.hazard(Code::UpsertConstraint, id.clone(), finds_no(it, &it.table)),
        (Some(_), _) | (None, None) => step,
    }
}

/// What breaks once the table is another one with its name: for each index that upserts find before and not after.
pub fn lost_between(table: &QName, before: &Schema, after: &Schema) -> Vec<Hazard> {
    let stays = |it: &Arbiter<'_>| all_of(table, after).filter_map(of).any(|other| other.serves(it));
    let can_be_named = |it: &Constraint| after.get(&it.id()).is_some_and(|it| nameable(it).is_some());
    let told = |object: &Object| match of(object).filter(|it| !stays(it)) {
        Some(it) => it.has_its_columns(after).then(|| Hazard::new(Code::UpsertTarget, object.id(), it.why())),
        None => {
            let unnamed = nameable(object).filter(|it| !can_be_named(it))?;
            Some(Hazard::new(Code::UpsertConstraint, object.id(), finds_no(unnamed, table)))
        }
    };
    all_of(table, before).filter_map(told).collect()
}

/// What breaks where a view has the name of a table, which has no constraints of its own.
pub fn lost_behind_a_view(table: &QName, schema: &Schema) -> Vec<Hazard> {
    let named = all_of(table, schema).filter_map(nameable);
    named.map(|it| Hazard::new(Code::UpsertConstraint, it.id(), finds_no(it, table) + ": it is a view")).collect()
}
