//! Indexes that are built and dropped while their table is in use, and one that is built beside another until it takes
//! its name.

use super::{Index, is_gone, is_referred_to, is_valid, statistics};
use crate::kind::{Definition, Kind, ObjectId, arbiter, table, unique};
use crate::lock::Lock;
use crate::name::{Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Aid, Disturbance, Stage, Step, Undo};
use crate::schema::Sides;

/// A name that no relation of either side has, to build an index under until it can have its own.
pub(in crate::kind) fn temporary_name(name: &QName, sides: &Sides<'_>) -> Name {
    // On the way back, the one of the way there may still exist.
    free_name(name, if sides.facts.way_back { "_tenantry_back" } else { OF_THE_WAY_THERE }, sides)
}

/// An index that is built to be taken up by a later step.
pub(in crate::kind) fn aid(table: &QName, name: &Name) -> Aid {
    Aid::of(ObjectId::new(Kind::Index, [&table.namespace, name]))
}

/// The steps that mark such an index.
pub(in crate::kind) fn aids(marks: Vec<Step>, table: &QName, name: &Name) -> impl Iterator<Item = Step> {
    let aid = aid(table, name);
    marks.into_iter().zip(1..).map(move |(mark, part)| mark.aids(aid.clone().part(part)))
}

/// The step whose undo gives such an index the marks again.
pub(in crate::kind) fn marked_again(step: Step, marks: Vec<Step>, table: &QName, name: &Name) -> Step {
    let again = |step: Step, mark: Step| match mark.aid {
        Some(aid) => step.then_built_again_by(aid, Undo::inside(mark.sql)),
        None => step,
    };
    aids(marks, table, name).fold(step, again)
}

/// That one, on the way back.
pub(in crate::kind) fn name_of_the_way_there(name: &QName, sides: &Sides<'_>) -> Name {
    free_name(name, OF_THE_WAY_THERE, sides)
}

const OF_THE_WAY_THERE: &str = "_tenantry";

fn free_name(name: &QName, suffix: &str, sides: &Sides<'_>) -> Name {
    let taken = |candidate: &Name| {
        [
            Kind::Index,
            Kind::Table,
            Kind::View,
            Kind::MaterializedView,
            Kind::Sequence,
            Kind::Composite,
        ]
        .into_iter()
        .map(|kind| ObjectId::new(kind, [&name.namespace, candidate]))
        .any(|id| sides.old.contains(&id) || sides.new.contains(&id))
    };
    (1..)
        .map(|n| suffixed(&name.name, &if n == 1 { suffix.to_owned() } else { format!("{suffix}{n}") }))
        .find(|candidate| !taken(candidate))
        .expect("there are more numbers than names")
}

/// The name with a suffix, within PostgreSQL's 63 bytes. A name that must be cut gets a hash of all of it, so that
/// two names with the same beginning stay apart.
fn suffixed(name: &Name, suffix: &str) -> Name {
    const MAX: usize = 63;
    let name = name.as_str();
    if name.len() + suffix.len() <= MAX {
        return Name::from(format!("{name}{suffix}"));
    }
    // FNV-1a: the same on every machine and in every version, which std's hashers do not promise.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let suffix = format!("_{hash:08x}{suffix}");
    let end = (0..=MAX - suffix.len()).rev().find(|&i| name.is_char_boundary(i)).unwrap_or(0);
    Name::from(format!("{}{suffix}", &name[..end]))
}

impl Index {
    /// Builds the index under a name of the caller's choice while the table is in use.
    pub(super) fn build(&self, name: &Name, sides: &Sides<'_>) -> Step {
        let guard = self.guard(sides);
        let step = match sides.facts.idle.contains(&self.table) {
            true => Step::new(self.sql(guard, name)).locks(&self.table, Lock::Share),
            false => Step::new(self.sql(&format!("CONCURRENTLY {guard}"), name))
                .outside_transaction()
                .locks(&self.table, Lock::ShareUpdateExclusive),
        };
        // A summary of ranges of blocks is next to nothing.
        let step = match self.method.as_str() {
            "brin" => step.scans(&self.table),
            _ => step.builds(&self.table, self.width(sides), self.is_btree()),
        };
        let step = step.check(is_valid(&self.name.sibling(name.clone())));
        let step = if guard.is_empty() { step } else { step.repeats() };
        let is_given =
            || unique::plain(&self.keys).is_some_and(|it| unique::is_given(&self.table, &it, self.nulls_not_distinct, sides));
        if self.unique && sides.may_hold_rows(&self.table) && !is_given() {
            step.hazard(Code::UniqueMayFail, self.id(), table::evidence(sides, &self.table))
        } else {
            step
        }
    }

    /// The undo that builds the index again under the name that it had then: whoever goes forward again needs it.
    pub(super) fn build_again(&self, name: &Name, sides: &Sides<'_>) -> Undo {
        match sides.facts.idle.contains(&self.table) || self.partitioned() {
            true => Undo::inside(self.sql("IF NOT EXISTS ", name)),
            false => Undo::outside(self.sql("CONCURRENTLY IF NOT EXISTS ", name)),
        }
    }

    /// The index, which was built under another name, gets its own, and gives that up on the way back.
    pub(super) fn takes_its_name(&self, beside: &Name, sides: &Sides<'_>) -> Step {
        let rename = Step::new(format!("ALTER INDEX {} RENAME TO {}", self.name.sibling(beside.clone()), self.name.name));
        match sides.facts.way_back {
            true => rename,
            false => rename.undone_by(format!("ALTER INDEX IF EXISTS {} RENAME TO {beside}", self.name)),
        }
    }

    /// Drops the index while the table is in use.
    pub(super) fn drop_beside(&self, guard: &str, sides: &Sides<'_>) -> Step {
        let step = match sides.facts.idle.contains(&self.table) {
            true => Step::new(format!("DROP INDEX {guard}{}", self.name)).locks(&self.table, Lock::AccessExclusive),
            false => Step::new(format!("DROP INDEX CONCURRENTLY {guard}{}", self.name))
                .outside_transaction()
                .locks(&self.table, Lock::ShareUpdateExclusive),
        };
        step.check(is_gone(&self.name))
    }

    /// Builds the index beside the constraint of its name, which goes by a step of its own in the transaction in which
    /// the index gets that name.
    pub(super) fn takes_over_from(&self, old: &ObjectId, sides: &Sides<'_>) -> Vec<Step> {
        let beside = temporary_name(&self.name, sides);
        let built = self.name.sibling(beside.clone());
        let build = self.build(&beside, sides).undone_by(format!("DROP INDEX IF EXISTS {built}"));
        let mut steps = vec![build.aids(aid(&self.table, &beside))];
        // With the end of the constraint whose index has them.
        steps.extend(aids(self.storage.mark(&self.table, &beside), &self.table, &beside));
        let change = Step::new(format!("ALTER INDEX {built} RENAME TO {}", self.name.name)).makes();
        let mut change = change.summary(format!("{} takes the place of {old}", self.id()));
        if !sides.facts.way_back {
            let (aid, again) = (aid(&self.table, &beside), self.build_again(&beside, sides));
            change = match is_referred_to(old, sides) {
                // A foreign key that comes again would stand on it.
                true => change.then_built_again_by(aid, again),
                false => change.built_again_by(aid, again),
            };
            change = marked_again(change, self.storage.mark(&self.table, &beside), &self.table, &beside);
        }
        let targets = self.keys.iter().map(|key| key.statistics);
        let statistics = statistics(&self.name, self.keys.iter().map(|_| None), targets);
        steps.extend([change].into_iter().chain(statistics).map(|step| step.stage(Stage::Contract)));
        steps
    }

    /// Ends this one, and gives its name to the one that was built beside it, in one moment: foreign keys that stand on
    /// the one go with it and come again on the other.
    fn exchange(&self, new: &Index, beside: &Name, sides: &Sides<'_>) -> Step {
        let built = self.name.sibling(beside.clone());
        let sql = format!("DROP INDEX {};\nALTER INDEX {built} RENAME TO {}", self.name, self.name.name);
        let change = Step::new(sql)
            .summary(format!("{} is exchanged for the new one", self.id()))
            .locks(&self.table, Lock::AccessExclusive)
            .disturbs(self.id(), Disturbance::Replace);
        if sides.facts.way_back {
            return change;
        }
        // A foreign key that comes again would stand on it, so it comes after that.
        let change = change.then_built_again_by(aid(&self.table, beside), new.build_again(beside, sides));
        marked_again(change, new.storage.mark(&self.table, beside), &self.table, beside)
    }

    /// Builds the new index beside this one, which serves until then.
    pub(super) fn swap(&self, new: &Index, sides: &Sides<'_>) -> Vec<Step> {
        let beside = temporary_name(&self.name, sides);
        let built = self.name.sibling(beside.clone());
        let build = new.build(&beside, sides).undone_by(format!("DROP INDEX IF EXISTS {built}"));
        let mut steps = vec![build.aids(aid(&self.table, &beside))];
        let marks = new.storage.mark_beside(&self.storage, &self.table, [&self.name.name, &beside]);
        steps.extend(aids(marks, &self.table, &beside));
        let end = steps.len();
        match is_referred_to(&self.id(), sides) {
            true => steps.push(self.exchange(new, &beside, sides)),
            false => {
                // Whoever goes back has it no more.
                let drop = self.drop_beside(if sides.facts.way_back { "IF EXISTS " } else { "" }, sides);
                let drop = drop.disturbs(self.id(), Disturbance::Replace);
                steps.push(match sides.facts.way_back {
                    true => drop,
                    false => marked_again(drop, new.storage.mark(&self.table, &beside), &self.table, &beside),
                });
                steps.push(new.takes_its_name(&beside, sides));
            }
        }
        let targets = new.keys.iter().map(|key| key.statistics);
        steps.extend(statistics(&self.name, new.keys.iter().map(|_| None), targets));
        arbiter::kept_until_contract(&self.id(), steps, end, sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_must_be_cut_stays_its_own() {
        let long = "größe_".repeat(9);
        let one = suffixed(&Name::from(format!("{long}_one")), "_tenantry");
        let two = suffixed(&Name::from(format!("{long}_two")), "_tenantry");
        assert!(one.as_str().len() <= 63 && two.as_str().len() <= 63);
        assert_ne!(one, two);
        assert_eq!(suffixed(&Name::from("a"), "_tenantry"), Name::from("a_tenantry"));
    }
}
