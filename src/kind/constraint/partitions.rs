//! Constraints of partitioned tables: added to each partition first, and what a partition or an heir has from above.

use crate::kind::comment::Comment;
use crate::kind::{Definition, Kind, Object, ObjectId, index, inheritance, made_name, partition, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Aid, Stage, Step, Undo};
use crate::schema::{Schema, Sides};
use super::{Constraint, Instead, Rule};

impl Constraint {
    /// Whether a partition has the same constraint already, which becomes a part of this one.
    pub(super) fn takes_in_that_of_a_partition(&self, sides: &Sides<'_>) -> bool {
        let of_partition = |object: &Object, partition: &QName| match object {
            Object::Constraint(it) => it.table == *partition && it.rule == self.rule,
            _ => false,
        };
        let covers = if self.partitioned { self.covers(sides) } else { vec![] };
        covers.iter().any(|partition| sides.old.of_kind(Kind::Constraint).any(|it| of_partition(it, partition)))
    }

    /// Adds a foreign key to each partition, promised first and validated then; the partitioned table takes them for
    /// its own without reading a row.
    pub(super) fn add_by_partition(&self, instead: Instead<'_>, sides: &Sides<'_>) -> Vec<Step> {
        let (mut promises, mut proofs) = (vec![], vec![]);
        let ready = |it: &QName| {
            let (id, attached) = (table::id(it), super::partition::id(it));
            table::stores(sides, it) && !sides.is_new(&id) && !sides.is_going(&id) && !sides.is_new(&attached)
        };
        // Taken back, that of the whole takes along what the partitions had: they get their promise again.
        let proof = |own: &Constraint| {
            let (table, name) = (own.alter_table(), &own.name);
            let back = format!("{table} DROP CONSTRAINT IF EXISTS {name}, {} NOT VALID", own.addition(sides));
            own.validation(sides).undone_by(back)
        };
        let mut renames = vec![];
        for partition in self.covers(sides).into_iter().skip(1) {
            let own = Constraint { table: partition.clone(), partitioned: false, ..self.clone() };
            // It has the same already: a run that stopped on the way has left it there, or it was declared so.
            if let Some(it) = self.same_on(&partition, sides) {
                if it.name != self.name {
                    renames.push(it.rename(&self.name));
                }
                let is_leaf = table::stores(sides, &partition);
                proofs.extend((!it.validated && is_leaf).then(|| proof(it)));
                continue;
            }
            if !ready(&partition) || self.is_on_one_between(&partition, sides) {
                continue;
            }
            let sql = format!("{} {} NOT VALID", own.alter_table(), own.addition(sides));
            // Once the whole has it, it goes with that.
            let back = format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", own.table, own.name);
            let promise = own.adding(sql, Instead::OfNothing, sides).own_transaction().undone_by(back);
            promises.push(promise.summary(format!("create {}", own.id())));
            proofs.push(proof(&own));
        }
        let whole = format!("{} {}{}", self.alter_table(), self.drop_first(instead), self.addition(sides));
        let last = self.adding(whole, instead, sides).stage(Stage::Validate).own_transaction().makes();
        // The partition's own triggers on the other table give way to those of the whole.
        let last = match &self.rule {
            Rule::Foreign(it) => {
                let family = table::family(sides, &it.to);
                // Where that is partitioned, the partition's has parts of its own, one for each of its partitions.
                let parted = !table::stores(sides, &it.to);
                let own: Vec<QName> =
                    self.covers(sides).into_iter().filter(|it| parted && table::stores(sides, it)).collect();
                family.iter().chain(&own).fold(last, |it, member| it.locks(member, Lock::AccessExclusive))
            }
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => last,
        };
        // With the end of the one whose place this takes: it has the locks of all of them.
        let takes_a_place = sides.replaced.contains(&self.id()) || self.former_foreign_key(sides).is_some();
        let promises = if takes_a_place { self.promised_at_once(promises) } else { promises };
        promises.into_iter().chain(proofs).chain(renames).chain([last]).collect()
    }

    /// The promises of all partitions as one step.
    fn promised_at_once(&self, promises: Vec<Step>) -> Vec<Step> {
        if promises.len() < 2 {
            return promises;
        }
        let sql: Vec<&str> = promises.iter().map(|it| it.sql.as_str()).collect();
        let summary = format!("promise {} in each partition", self.id());
        let mut step = Step::new(sql.join(";\n")).own_transaction().summary(summary);
        for it in promises {
            step.locks.extend(it.locks);
            step.undo.extend(it.undo);
        }
        vec![step]
    }

    /// Those of partitions get the name that they have as parts of this one, before it takes them in: taken back, they
    /// are made anew beside it under their own.
    pub(super) fn rename_below(&self, sides: &Sides<'_>) -> Vec<Step> {
        let below = if self.partitioned { self.covers(sides) } else { vec![] };
        let own = below.iter().skip(1).filter_map(|partition| self.same_on(partition, sides));
        let renamed = own.filter(|it| it.name != self.name && sides.is_going(&it.id()));
        renamed.map(|it| it.rename(&self.name).stage(Stage::Expand)).collect()
    }

    /// Before 15, a partition that is detached does not keep its foreign key to a partitioned table.
    pub(super) fn is_lost_by_detaching(&self, sides: &Sides<'_>) -> bool {
        match &self.rule {
            Rule::Foreign(it) => {
                let is_parted = !table::stores(sides, &it.to);
                sides.major() < 15 && is_parted && partition::leaves(sides, &self.table, &self.name)
            }
            Rule::Unique(_) | Rule::Exclusion(_) | Rule::Check(_) => false,
        }
    }

    /// The same foreign key that a table below has as its own.
    fn same_on<'a>(&self, below: &QName, sides: &Sides<'a>) -> Option<&'a Constraint> {
        let mut constraints = sides.old.of_kind(Kind::Constraint).filter_map(|object| match object {
            Object::Constraint(it) if it.table == *below && it.rule == self.rule => Some(&**it),
            _ => None,
        });
        let first = constraints.next()?;
        Some(constraints.find(|it| it.name == self.name).unwrap_or(first))
    }

    /// Whether a table between this one and the one below has the same foreign key, and so that one has it, too.
    fn is_on_one_between(&self, below: &QName, sides: &Sides<'_>) -> bool {
        let mut between = parents(sides.old, below).take_while(|it| *it != self.table);
        between.any(|it| self.same_on(&it, sides).is_some())
    }

    fn rename(&self, to: &Name) -> Step {
        let rename = |from: &Name, to: &Name| format!("ALTER TABLE {} RENAME CONSTRAINT {from} TO {to}", self.table);
        // Taken back, that of the whole takes this along, and what the partition had is made anew.
        let has = |name: &Name| {
            format!(
                "EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = {}::regclass AND conname = {})",
                Literal(&self.table.to_string()),
                Literal(name.as_str())
            )
        };
        let body = format!("BEGIN IF {} AND NOT {} THEN {}; END IF; END", has(to), has(&self.name), rename(to, &self.name));
        Step::new(rename(&self.name, to))
            .stage(Stage::Validate)
            .locks(&self.table, Lock::AccessExclusive)
            .undone_by(format!("DO {}", Literal(&body)))
    }

    /// Checks and foreign keys of partitions that take this one's place. It has left its name to its copies there, so they
    /// have to be made under another one.
    pub(super) fn heirs<'a>(&self, sides: &Sides<'a>) -> Vec<&'a Constraint> {
        if !self.partitioned || sides.replaced.contains(&self.id()) {
            return vec![];
        }
        let new_on = |table: &QName| sides.new.get(&Constraint::id_on(table, &self.name));
        let takes_over = |table: &QName, it: &Constraint| match (&self.rule, &it.rule) {
            (Rule::Foreign(own), Rule::Foreign(of_heir)) => own == of_heir && !partition::leaves(sides, table, &self.name),
            // What a partition has from above is an object too: the uppermost hands it on.
            (Rule::Check(_), Rule::Check(_)) => {
                let part = super::partition::id(table);
                let stays = !sides.is_new(&part) && !sides.is_going(&part);
                stays && parents(sides.new, table).all(|it| new_on(&it).is_none())
            }
            _ => false,
        };
        let heir = |table: &QName| match new_on(table) {
            Some(Object::Constraint(it)) if takes_over(table, it) => Some(&**it),
            _ => None,
        };
        self.covers(sides).iter().skip(1).filter_map(heir).collect()
    }

    pub(in crate::kind) fn id_on(table: &QName, name: &Name) -> ObjectId {
        ObjectId::new(Kind::Constraint, [&table.namespace, &table.name, name])
    }

    /// Whether it comes by the steps that end the same one of a table above.
    pub(super) fn is_handed_down(&self, sides: &Sides<'_>) -> bool {
        parents(sides.old, &self.table).any(|above| match sides.old.get(&Constraint::id_on(&above, &self.name)) {
            Some(Object::Constraint(it)) if sides.is_going(&it.id()) => {
                it.heirs(sides).iter().any(|heir| heir.table == self.table)
            }
            _ => false,
        })
    }

    /// Ends this constraint once those that take its place hold, which get its name in the same moment.
    pub(super) fn hand_down(&self, heirs: &[&Constraint], sides: &Sides<'_>) -> Vec<Step> {
        let family = self.covers(sides);
        let free = |name: &Name| {
            let taken = |table: &QName| {
                let id = Constraint::id_on(table, name);
                sides.old.contains(&id) || sides.new.contains(&id)
            };
            !family.iter().any(taken)
        };
        let aside = made_name::derived(&[self.name.as_str(), "own"], free);
        let mut steps = vec![];
        let mut sql = vec![format!("ALTER TABLE {} DROP CONSTRAINT {}", self.table, self.name)];
        let mut covered = vec![];
        let mut again = vec![];
        for heir in heirs {
            let own = Constraint { name: aside.clone(), ..Constraint::clone(heir) };
            let added = own.add(Instead::OfNothing, sides).into_iter().zip(0..);
            let aid = |part: usize| Aid::of(own.id()).part(part);
            let mut added: Vec<Step> = added.map(|(it, part)| Step { makes: false, ..it }.aids(aid(part))).collect();
            let back = format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {aside}", heir.table);
            if let Some(first) = added.first_mut() {
                first.summary.get_or_insert_with(|| format!("create {}", own.id()));
            }
            // A foreign key above partitions is the last one, after theirs, where it can't be promised.
            let is_last = matches!(own.rule, Rule::Foreign(_)) && own.partitioned && sides.major() < 18;
            let adds = if is_last { added.last_mut() } else { added.first_mut() };
            if let Some(it) = adds {
                *it = it.clone().undone_by(back);
            }
            // Back above, it ends this one. One that says something else is moved out of the way of that.
            if own.rule == self.rule {
                again.extend(added.iter().zip(0..).map(|(it, part)| match it.stage {
                    Stage::Expand => (aid(part), Undo::inside(&it.sql)),
                    _ => (aid(part), Undo::outside(&it.sql)),
                }));
            }
            steps.extend(added);
            let covers = own.covers(sides);
            // The name of a check goes to the tables below by itself.
            let named = if matches!(own.rule, Rule::Check(_)) { &covers[..1] } else { &covers[..] };
            let names = named.iter().map(|it| format!("ALTER TABLE {it} RENAME CONSTRAINT {aside} TO {}", self.name));
            sql.extend(names);
            sql.extend(covers.iter().filter_map(|it| comment_again(&Constraint::id_on(it, &self.name), sides)));
            covered.extend(covers.into_iter().filter(|_| own.rule == self.rule));
        }
        steps.sort_by_key(|step| step.stage);
        let last = Step::new(sql.join(";\n"))
            .summary(format!("{} is that of its partitions from now on", self.id()))
            .stage(Stage::Contract)
            .makes();
        let mut last = self.locking(last, Lock::AccessExclusive, sides);
        // One that says something else is in the way of that which comes back.
        for heir in heirs.iter().filter(|it| it.rule != self.rule) {
            let table = &heir.table;
            last = last.undone_by(format!("ALTER TABLE {table} RENAME CONSTRAINT {} TO {aside}", self.name));
        }
        let last = again.into_iter().fold(last, |last, (aid, undo)| last.then_built_again_by(aid, undo));
        let left = family.iter().find(|it| table::stores(sides, it) && !covered.contains(it));
        steps.push(match left {
            Some(it) => last.hazard(Code::DropConstraint, self.id(), format!("{it} does not have it any more")),
            None => last,
        });
        steps
    }

    /// What ADD CONSTRAINT leaves to further statements.
    pub(super) fn finish(&self) -> Vec<Step> {
        let index = self.index();
        let mut steps = match &self.rule {
            Rule::Exclusion(it) => {
                let targets = it.elements.iter().map(|element| element.key.statistics);
                index::statistics(&index, it.elements.iter().map(|_| None), targets)
            }
            Rule::Unique(_) | Rule::Check(_) | Rule::Foreign(_) => vec![],
        };
        if let Some(storage) = self.rule.storage() {
            steps.extend(storage.mark(&self.table, &self.name));
        }
        steps
    }

    /// The same foreign key that a partitioned table above gets, which takes this one for its own.
    pub(super) fn that_of_a_parent(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        let same = |object: &Object| match object {
            Object::Constraint(it) => (it.rule == self.rule && sides.is_new(&it.id())).then(|| it.id()),
            _ => None,
        };
        let mut above = parents(sides.new, &self.table).filter(|_| matches!(self.rule, Rule::Foreign(_)));
        above.find_map(|above| sides.new.of_relation(Kind::Constraint, &above).find_map(same))
    }

    /// Why a foreign key can't come while one of its name, which says something else, is on a partition or above it: the
    /// server gives those of partitions the name of that of the whole.
    pub(super) fn namesake_above_or_below(&self, sides: &Sides<'_>) -> Option<String> {
        let Rule::Foreign(_) = &self.rule else { return None };
        let stays = |it: &QName| !sides.is_new(&table::id(it)) && !sides.is_going(&table::id(it));
        let below = if self.partitioned { self.covers(sides) } else { vec![] };
        let mut near = below.into_iter().skip(1).chain(parents(sides.old, &self.table)).filter(stays);
        let other = near.find(|it| match sides.old.get(&Constraint::id_on(it, &self.name)) {
            Some(Object::Constraint(it)) => it.rule != self.rule,
            _ => false,
        })?;
        stays(&self.table).then(|| {
            format!(
                "{other} has another one of that name, and those of partitions have the name of that of the whole: give \
                 this one another name, or let the other go in a plan before this one"
            )
        })
    }

    /// Whether a statement on a table above brings, changes and ends this constraint.
    pub(super) fn comes_from_above(&self, sides: &Sides<'_>) -> bool {
        let partition = super::partition::id(&self.table);
        let as_partition = sides.old.contains(&partition) && !sides.is_going(&partition);
        let has_it = |it: &QName| [sides.old, sides.new].iter().any(|schema| schema.contains(&Constraint::id_on(it, &self.name)));
        let as_heir = || !self.local.0 && inheritance::kept_parents(sides, &self.table).iter().any(has_it);
        self.inherited.0 && (as_partition || as_heir())
    }

    /// Whether a check of a parent and this one become one.
    pub fn merges_with(&self, above: &Constraint) -> bool {
        matches!(&self.rule, Rule::Check(it) if !it.no_inherit)
            && (&self.rule, self.enforced) == (&above.rule, above.enforced)
            && (self.validated || !above.validated)
    }

    /// The checks that heirs get by themselves together with this one.
    pub(super) fn of_heirs(&self, schema: &Schema, sides: &Sides<'_>) -> Vec<ObjectId> {
        let ids = inheritance::heirs(sides, &self.table).into_iter().map(|it| Constraint::id_on(it, &self.name));
        ids.filter(|it| matches!(schema.get(it), Some(Object::Constraint(it)) if it.local.0 && it.merges_with(self))).collect()
    }

    /// Those of the parents that hand down the check that the table has by itself, too.
    pub(super) fn of_parents(&self, schema: &Schema, sides: &Sides<'_>) -> Vec<ObjectId> {
        let above = |it: &QName| match schema.get(&Constraint::id_on(it, &self.name)) {
            Some(Object::Constraint(it)) if self.local.0 && self.merges_with(it) => Some(it.id()),
            _ => None,
        };
        let parents = [sides.old, sides.new].into_iter().filter_map(|it| table::find(it, &self.table));
        parents.flat_map(|it| &it.inherits.0).filter_map(above).collect()
    }
}

/// The comment that a constraint has all the time, for one that was made under another name.
fn comment_again(id: &ObjectId, sides: &Sides<'_>) -> Option<String> {
    let comment = Comment::new(id.clone(), "").id();
    comment_of(id, sides.new).filter(|_| sides.old.get(&comment) == sides.new.get(&comment))
}

/// The statement that gives a constraint its comment.
pub(super) fn comment_of(id: &ObjectId, schema: &Schema) -> Option<String> {
    match schema.get(&Comment::new(id.clone(), "").id()) {
        Some(Object::Comment(it)) => {
            Some(format!("COMMENT ON {} IS {}", Constraint::reference(&id.path), Literal(&it.text)))
        }
        _ => None,
    }
}

/// The tables that a partition is below, from the nearest on.
fn parents(schema: &Schema, table: &QName) -> impl Iterator<Item = QName> {
    let parent = |of: &QName| match schema.get(&partition::id(of)) {
        Some(Object::Partition(it)) => Some(it.parent.clone()),
        _ => None,
    };
    std::iter::successors(parent(table), move |it| parent(it))
}
