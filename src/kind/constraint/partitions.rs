//! Constraints of partitioned tables: added to each partition first, and what a partition has from above.

use crate::kind::index;
use crate::kind::{Definition, Kind, Object, ObjectId, partition, table};
use crate::lock::Lock;
use crate::name::QName;
use crate::plan::{Stage, Step};
use crate::schema::Sides;
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
        for partition in self.covers(sides).into_iter().filter(ready) {
            let own = Constraint { table: partition, partitioned: false, ..self.clone() };
            // A run that stopped on the way has left it there.
            if let Some(Object::Constraint(it)) = sides.old.get(&own.id())
                && it.rule == own.rule
            {
                // The way back makes anew what a partition had before.
                proofs.extend((!it.validated).then(|| own.validation(sides)));
                continue;
            }
            let sql = format!("{} {} NOT VALID", own.alter_table(), own.addition(sides));
            // Once the whole has it, it goes with that.
            let back = format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", own.table, own.name);
            let promise = own.adding(sql, Instead::OfNothing, sides).own_transaction().undone_by(back);
            promises.push(promise.summary(format!("create {}", own.id())));
            proofs.push(proof(&own));
        }
        let whole = format!("{} {}{}", self.alter_table(), self.drop_first(instead, sides), self.addition(sides));
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
        promises.into_iter().chain(proofs).chain([last]).collect()
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

    /// Whether the partitioned table above gets the same foreign key, and takes this one for its own.
    pub(super) fn becomes_the_parents(&self, sides: &Sides<'_>) -> bool {
        let mut at = self.table.clone();
        while let Some(Object::Partition(it)) = sides.new.get(&partition::id(&at)) {
            at = it.parent.clone();
            let above = ObjectId::new(Kind::Constraint, [&at.namespace, &at.name, &self.name]);
            let same = |it: &Object| matches!(it, Object::Constraint(it) if it.rule == self.rule);
            if matches!(self.rule, Rule::Foreign(_)) && sides.new.get(&above).is_some_and(same) {
                return true;
            }
        }
        false
    }

    /// Whether it was there as a part of that of the partitioned table above, which goes. On a way back from where that
    /// did not come to be it is there by itself.
    pub(super) fn was_the_parents(&self, sides: &Sides<'_>) -> bool {
        self.becomes_the_parents(&Sides { old: sides.new, new: sides.old, ..*sides }) && !self.becomes_the_parents(sides)
    }

    /// Whether a statement on the partitioned table above reaches this constraint.
    pub(super) fn comes_from_above(&self, sides: &Sides<'_>) -> bool {
        let partition = super::partition::id(&self.table);
        self.inherited.0 && sides.old.contains(&partition) && !sides.is_going(&partition)
    }
}
