//! Columns whose values go over to another table, by expressions declared both ways. While old and new columns live, a row
//! that is written in either table takes the value to the rows of the other that belong to it. Old rows are filled by
//! being touched: what a row lacks its trigger looks up then, after the row is locked, so that nothing stale is written.
//!
//! Facts from "Overview of Trigger Behavior" and "Data Consistency Checks at the Application Level" in the manual: a
//! function that is volatile sees with each of its statements what was committed before, and what its own command did.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::constraint::Rule;
use crate::kind::index::{Of, Subject};
use crate::kind::made_name;
use crate::kind::{Kind, Object, column, default, partition, table};
use crate::lock::Lock;
use crate::name::{DollarQuoted, Literal, Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{PlanError, Planned, Stage, Step, derive, twin};
use crate::schema::{Facts, Families, Schema, Sides};

/// What is declared of one move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub from: QName,
    pub to: QName,
    /// Columns of both that are equal in rows which belong together.
    pub pairs: Vec<(Name, Name)>,
    /// What new columns of `to` hold, in terms of rows of `from`.
    pub columns: BTreeMap<Name, String>,
    /// What old columns of `from` hold, in terms of rows of `to`.
    pub becomes: BTreeMap<Name, String>,
}

/// How the summary of a step begins that does nothing but stop where rows are not as they have to be: what follows is
/// what they are like.
pub const STOPS_IF: &str = "stops if ";

/// The setting in which a trigger says whose writes are its own doing.
const DOING: &str = "tenantry.moving";

impl Move {
    /// Whether a column comes or goes by this move.
    pub fn is_of(&self, table: &QName, name: &Name) -> bool {
        self.comes(table, name) || *table == self.from && self.becomes.contains_key(name)
    }

    /// Whether a column comes by this move.
    pub fn comes(&self, table: &QName, name: &Name) -> bool {
        *table == self.to && self.columns.contains_key(name)
    }

    /// The values of rows that stand already, in columns that come: on the way there, and on the way back.
    pub fn backfills(&self, schema: &Schema) -> Vec<((QName, Name), String)> {
        let of = |end: End<'_>| {
            let value = |(name, expression): (&Name, &String)| {
                let value = format!("({})", end.select(&[expression], &end.outer()));
                // A row that nothing belongs to has what every row begins with.
                let value = match default::find(schema, end.table, name).filter(|it| it.is_surely_stable()) {
                    Some(default) => format!("coalesce({value}, {})", default.expression),
                    None => value,
                };
                ((end.table.clone(), name.clone()), value)
            };
            end.columns.iter().map(value).collect::<Vec<_>>()
        };
        let (from, to) = self.ends(schema);
        [of(to), of(from)].concat()
    }

    /// Whether rows of either table may be written while the plan runs.
    pub fn is_used(&self, sides: &Sides<'_>) -> bool {
        table::is_used(sides, &self.from) || table::is_used(sides, &self.to)
    }

    /// Both ends, each with what its columns hold. `schema` has the keys.
    fn ends(&self, schema: &Schema) -> (End<'_>, End<'_>) {
        let (of_from, of_to): (Vec<&Name>, Vec<&Name>) = self.pairs.iter().map(|(a, b)| (a, b)).unzip();
        let one = |table: &QName, keys: &[&Name]| is_unique(schema, table, keys);
        let (from_is_one, to_is_one) = (one(&self.from, &of_from), one(&self.to, &of_to));
        let from = End {
            table: &self.from,
            columns: &self.becomes,
            keys: of_from.clone(),
            other: &self.to,
            others: of_to.clone(),
            is_one: from_is_one,
            other_is_one: to_is_one,
        };
        let to = End {
            table: &self.to,
            columns: &self.columns,
            keys: of_to,
            other: &self.from,
            others: of_from,
            is_one: to_is_one,
            other_is_one: from_is_one,
        };
        (from, to)
    }

    /// Queries that the server must take, each with the column that it gives: on the schema before for new columns, on the
    /// one after for old ones.
    pub fn tried<'a>(&'a self, before: &'a Schema, after: &'a Schema) -> [Vec<(&'a QName, &'a Name, String)>; 2] {
        let queries = |end: End<'a>| {
            let of = end.other.clone();
            let aggregate = end.aggregate();
            let query = move |it: &str| format!("SELECT ({it}) FROM {of}{aggregate}");
            end.columns.iter().map(|(name, it)| (end.table, name, query(it))).collect::<Vec<_>>()
        };
        [queries(self.ends(before).1), queries(self.ends(after).0)]
    }
}

/// What is still to be done of what is declared. A move whose columns are there is left alone.
///
/// Errors: what can't be moved, each with the reason.
pub fn pending(
    declared: &[Move],
    current: &Schema,
    desired: &Schema,
    facts: &Facts,
) -> Result<Vec<Move>, Vec<PlanError>> {
    let has = |schema: &Schema, table: &QName, name: &Name| column::find(schema, table, name).is_some();
    let (mut pending, mut refused) = (vec![], vec![]);
    for it in declared {
        let mut left = it.clone();
        left.columns.retain(|name, _| !has(current, &it.to, name) && has(desired, &it.to, name));
        left.becomes.retain(|name, _| has(current, &it.from, name) && !has(desired, &it.from, name));
        if left.columns.is_empty() || left.becomes.is_empty() {
            continue;
        }
        match obstacle(&left, current, desired, facts) {
            Some(reason) => {
                let first = left.columns.keys().next().map(|name| column::id(&it.to, name));
                let object = first.unwrap_or_else(|| table::id(&it.to));
                refused.push(PlanError::Refused { object, reason });
            }
            None => pending.push(left),
        }
    }
    if refused.is_empty() { Ok(pending) } else { Err(refused) }
}

/// Why values can't move as declared.
fn obstacle(it: &Move, current: &Schema, desired: &Schema, facts: &Facts) -> Option<String> {
    for (name, schema) in [(&it.from, desired), (&it.to, current)] {
        if table::find(schema, name).is_none() {
            let what = if *name == it.to { "comes" } else { "goes" };
            return Some(format!(
                "{name} {what} with the same plan, and values move between tables that stay; make the table and its rows \
                 in a plan of its own"
            ));
        }
    }
    let (of_from, of_to): (Vec<&Name>, Vec<&Name>) = it.pairs.iter().map(|(a, b)| (a, b)).unzip();
    for (table, keys) in [(&it.from, &of_from), (&it.to, &of_to)] {
        for key in keys {
            let known = |schema| column::find(schema, table, key).is_some();
            if !known(current) || !known(desired) {
                return Some(format!(
                    "rows belong together by {table}.{key}, which has to be there before and after the plan"
                ));
            }
            if it.is_of(table, key) {
                return Some(format!("rows belong together by {table}.{key}, which moves itself"));
            }
        }
    }
    let unique = |schema| is_unique(schema, &it.from, &of_from) || is_unique(schema, &it.to, &of_to);
    if !unique(current) || !unique(desired) {
        return Some(format!(
            "neither {} of {} nor {} of {} is unique: which rows belong together is not certain; a unique key on either \
             says it",
            list(&of_from),
            it.from,
            list(&of_to),
            it.to
        ));
    }
    let replaced = BTreeSet::new();
    let sides = Sides { old: current, new: desired, facts, replaced: &replaced, families: &Families::default() };
    for (table, keys) in [(&it.from, &of_from), (&it.to, &of_to)] {
        if table::is_for_batches(&sides, table) && !is_found(desired, table, keys) {
            return Some(format!(
                "every write to one table looks for rows of {table} by {}, and no index begins with that; declare one",
                list(keys)
            ));
        }
    }
    let generated = |schema: &Schema, table: &QName, names: &BTreeMap<Name, String>| {
        names
            .keys()
            .find(|name| column::find(schema, table, name).is_some_and(|it| it.generated.is_some()))
            .cloned()
    };
    if let Some(name) = generated(current, &it.from, &it.becomes).or(generated(desired, &it.to, &it.columns)) {
        return Some(format!("{name} is a generated column, and can't be written to"));
    }
    let key = current.of_relation(Kind::Constraint, &it.from).find_map(|object| match object {
        Object::Constraint(constraint) => match &constraint.rule {
            Rule::Unique(key) if key.primary => key.columns.iter().find(|name| it.becomes.contains_key(name)),
            _ => None,
        },
        _ => None,
    });
    key.map(|name| format!("{name} is part of the primary key of {}: code of after can't leave it out", it.from))
}

/// Whether at most one row has the same values in the columns.
fn is_unique(schema: &Schema, table: &QName, columns: &[&Name]) -> bool {
    let within = |key: &[Name]| !key.is_empty() && key.iter().all(|it| columns.contains(&it));
    let constraint = schema.of_relation(Kind::Constraint, table).any(|object| match object {
        Object::Constraint(it) => {
            matches!(&it.rule, Rule::Unique(key) if !key.without_overlaps && within(&key.columns))
        }
        _ => false,
    });
    let index = |object: &Object| match object {
        Object::Index(it) => {
            let names: Option<Vec<Name>> = it
                .keys
                .iter()
                .map(|key| match &key.of {
                    Subject::Column(name) => Some(name.clone()),
                    Subject::Expression(_) => None,
                })
                .collect();
            it.table == *table
                && it.of == Of::Table
                && it.unique
                && it.valid
                && it.predicate.is_none()
                && names.is_some_and(|it| within(&it))
        }
        _ => false,
    };
    constraint || schema.of_kind(Kind::Index).any(index)
}

/// Whether an index leads to the rows that have certain values in some columns.
fn is_found(schema: &Schema, table: &QName, columns: &[&Name]) -> bool {
    let is_first = |it: Option<&Name>| it.is_some_and(|it| columns.contains(&it));
    let constraint = schema.of_relation(Kind::Constraint, table).any(|object| match object {
        Object::Constraint(it) => matches!(&it.rule, Rule::Unique(key) if is_first(key.columns.first())),
        _ => false,
    });
    let index = |object: &Object| match object {
        Object::Index(it) if it.table == *table && it.of == Of::Table && it.predicate.is_none() => {
            matches!(it.keys.first().map(|it| &it.of), Some(Subject::Column(name)) if is_first(Some(name)))
        }
        _ => false,
    };
    constraint || schema.of_kind(Kind::Index).any(index)
}

/// One table of a move, with what its columns hold in terms of the other's rows.
struct End<'a> {
    table: &'a QName,
    columns: &'a BTreeMap<Name, String>,
    keys: Vec<&'a Name>,
    other: &'a QName,
    others: Vec<&'a Name>,
    /// Whether at most one row of this table, or of the other, belongs to one of the other.
    is_one: bool,
    other_is_one: bool,
}

impl End<'_> {
    /// The row of this table as its own statement names it.
    fn outer(&self) -> String {
        self.table.name.to_string()
    }

    /// Which rows of the other table belong to a row of this one.
    fn partners(&self, row: &str) -> String {
        let pairs = self.keys.iter().zip(&self.others);
        let equal = pairs.map(|(key, other)| format!("{}.{other} = {row}.{key}", self.other.name));
        equal.collect::<Vec<_>>().join(" AND ")
    }

    /// What a row gets by expressions over the rows of the other table that belong to it.
    fn select<T: AsRef<str>>(&self, expressions: &[T], row: &str) -> String {
        let values = list(expressions.iter().map(|it| format!("({})", it.as_ref())));
        format!("SELECT {values} FROM {} WHERE {}{}", self.other, self.partners(row), self.aggregate())
    }

    /// Where several rows belong to one, there is one value all the same, or an error.
    fn aggregate(&self) -> &'static str {
        if self.other_is_one { "" } else { " HAVING true" }
    }

    fn values(&self, row: &str) -> String {
        self.select(&self.columns.values().collect::<Vec<_>>(), row)
    }

    fn fields(&self, row: &str) -> String {
        list(self.columns.keys().map(|it| format!("{row}.{it}")))
    }

    fn key_fields(&self, row: &str) -> String {
        list(self.keys.iter().map(|it| format!("{row}.{it}")))
    }

    /// Rows of the table whose value would be lost with the columns: no row of the other one has them.
    fn lost(&self, schema: &Schema) -> String {
        let filled = self.columns.keys().map(|it| match default::find(schema, self.table, it) {
            // What everyone has is no value of the row.
            Some(default) if default.is_surely_stable() => {
                format!("{it} IS NOT NULL AND {it}::text IS DISTINCT FROM ({})::text", default.expression)
            }
            _ => format!("{it} IS NOT NULL"),
        });
        let filled = filled.collect::<Vec<_>>().join(" OR ");
        format!("({filled}) AND NOT EXISTS (SELECT FROM {} WHERE {})", self.other, self.partners(&self.outer()))
    }

    fn set(&self) -> String {
        format!("({}) = ({})", list(self.columns.keys()), self.values(&self.outer()))
    }
}

/// Adds the triggers: made once the new columns are there, removed before the first of what goes.
pub fn around(steps: Vec<Planned>, old: &Schema, new: &Schema, facts: &Facts) -> Vec<Planned> {
    let replaced = BTreeSet::new();
    let sides = Sides { old, new, facts, replaced: &replaced, families: &Families::default() };
    let used = facts.moved.iter().filter(|it| it.is_used(&sides));
    let kept: Vec<Kept<'_>> = used.map(|it| Kept::new(it, &sides)).collect();
    derive::put_around(
        steps,
        kept.iter().flat_map(Kept::begin).collect(),
        kept.iter().flat_map(Kept::end).collect(),
    )
}

/// A move whose two tables are kept in step.
struct Kept<'a> {
    from: Sync<'a>,
    to: Sync<'a>,
}

/// What a table's writes do to the other one.
struct Sync<'a> {
    end: End<'a>,
    /// What the columns of the other table hold in terms of this one's.
    other: End<'a>,
    sides: &'a Sides<'a>,
    family: Vec<QName>,
    name: Name,
    /// What both tables' triggers call what they do themselves.
    mark: Name,
    /// Whether this is where the values are from.
    gives: bool,
}

impl<'a> Kept<'a> {
    fn new(it: &'a Move, sides: &'a Sides<'a>) -> Self {
        let words: Vec<&str> = it.columns.keys().map(Name::as_str).collect();
        let mark = made_name::derived(&[&[it.to.name.as_str()], &words[..]].concat(), |_| true);
        let sync = |gives: bool| {
            let (from, to) = it.ends(sides.old);
            let (end, other) = if gives { (from, to) } else { (to, from) };
            let family = table::family(sides, end.table);
            let about = [&words[..], &[if gives { "goes" } else { "comes" }]].concat();
            let name = twin::first_of_all(sides, end.table, &family, &about);
            Sync { end, other, sides, family, name, mark: mark.clone(), gives }
        };
        Kept { from: sync(true), to: sync(false) }
    }

    fn words(&self) -> String {
        format!("{} and {}", self.from.words(), self.to.words())
    }

    /// Steps by transaction. Writes of the old column are carried on first, so that none is missed.
    fn begin(&self) -> Vec<(QName, Vec<Step>)> {
        let (from, to) = (&self.from, &self.to);
        let mut functions = vec![];
        for sync in [from, to] {
            for (create, drop) in sync.functions() {
                functions.push(
                    Step::new(create).summary(format!("what keeps {} in step", self.words())).undone_by(drop),
                );
            }
        }
        let mut all = vec![(from.end.table.clone(), functions)];
        all.extend(self.required().map(|it| (to.end.table.clone(), vec![it])));
        all.extend(from.may_be_null().map(|it| (from.end.table.clone(), vec![it])));
        for sync in [from, to] {
            let triggers = sync.triggers().into_iter().map(|(create, drop)| {
                let what = format!("a row of {} that is written takes {} along", sync.end.table, sync.other.table);
                sync.on_family(&create, Lock::ShareRowExclusive).summary(what).undone_by(drop)
            });
            all.push((sync.end.table.clone(), triggers.collect()));
        }
        all
    }

    fn end(&self) -> Vec<(QName, Vec<Step>)> {
        let (from, to) = (&self.from, &self.to);
        let drops = |sync: &Sync<'_>| {
            let apart = format!("{} are no longer kept in step", self.words());
            let drop = |(create, drop): (String, String)| {
                sync.on_family(&drop, Lock::AccessExclusive)
                    .summary(&apart)
                    .undone_by(create)
                    .stage(Stage::Contract)
            };
            (sync.end.table.clone(), sync.triggers().into_iter().map(drop).collect::<Vec<_>>())
        };
        let mut functions = vec![];
        for (create, drop) in [from, to].iter().flat_map(|it| it.functions()) {
            let step = Step::new(drop).summary(format!("remove what kept {} in step", self.words()));
            functions.push(step.undone_by(create).stage(Stage::Contract));
        }
        // On the way back, what was written without the old columns is looked up once the new ones are followed again.
        let end = &from.end;
        let again = format!(
            "UPDATE {} SET {} WHERE EXISTS (SELECT FROM {} WHERE {}) AND NOT {}",
            end.table,
            end.set(),
            end.other,
            end.partners(&end.outer()),
            same(
                &list(end.columns.keys()),
                &list(end.columns.values().map(|it| format!("({})", end.select(&[it], &end.outer()))))
            )
        );
        let fault = format!("have a value that no row of {} has", end.other);
        let guard = guard(end.table, &end.lost(from.sides.old), &fault);
        let guard = guard.undone_by(again).stage(Stage::Contract);
        vec![drops(from), (end.table.clone(), vec![guard]), drops(to), (end.table.clone(), functions)]
    }

    /// Where a new column is required, a question before anything is filled.
    fn required(&self) -> Option<Step> {
        let end = &self.to.end;
        let required = end.columns.iter().filter(|(name, _)| {
            column::find(self.to.sides.new, end.table, name).is_some_and(|it| it.not_null.is_some())
        });
        // Named as the column, so that it can be told what this will hold.
        let value = |(name, it): (&Name, &String)| {
            let select = format!("SELECT ({it}) AS {name} FROM {} WHERE {}", end.other, end.partners(&end.outer()));
            format!("({select}{}) IS NULL", end.aggregate())
        };
        let missing: Vec<String> = required.map(value).collect();
        (!missing.is_empty())
            .then(|| guard(end.table, &missing.join(" OR "), &format!("get no value from {}", end.other)))
    }
}

/// A step that fails where rows satisfy a condition; its check says the same to the preflight.
fn guard(table: &QName, condition: &str, fault: &str) -> Step {
    let message = format!("rows of {table} {fault}");
    let body = format!(
        "\nBEGIN\n    IF EXISTS (SELECT FROM {table} WHERE {condition}) THEN\n        \
         RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',\n            MESSAGE = {};\n    END IF;\nEND\n",
        Literal(&message)
    );
    Step::new(format!("DO {}", DollarQuoted(&body)))
        .summary(format!("{STOPS_IF}{message}"))
        .scans(table)
        .check(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {condition})"))
        .own_transaction()
}

impl Sync<'_> {
    fn words(&self) -> String {
        format!("{} of {}", list(self.end.columns.keys()), self.end.table)
    }

    fn on_family(&self, sql: &str, lock: Lock) -> Step {
        table::reach(self.sides, self.end.table)
            .iter()
            .fold(Step::new(sql), |step, member| step.locks(member, lock))
    }

    fn named(&self, word: &str) -> Name {
        let mut name = self.name.as_str().to_owned();
        while name.len() + word.len() > 62 {
            name.pop();
        }
        Name::from(format!("{name}_{word}"))
    }

    /// Code of after writes rows without the old columns.
    fn may_be_null(&self) -> Option<Step> {
        let (old, table) = (self.sides.old, self.end.table);
        let required: Vec<&Name> = self
            .end
            .columns
            .keys()
            .filter(|name| column::find(old, table, name).is_some_and(|it| it.not_null.is_some()))
            .collect();
        let all = |action: &str| {
            let actions = required.iter().map(|it| format!("ALTER COLUMN {it} {action} NOT NULL"));
            format!("ALTER TABLE {table} {}", list(actions))
        };
        let first = required.first()?;
        let why = format!("rows that are written without {} may hold null until `contract`", list(&required));
        let step = self
            .on_family(&all("DROP"), Lock::AccessExclusive)
            .summary(format!("rows of {table} may be written without {}", list(&required)));
        Some(step.hazard(Code::DropNotNull, column::id(table, first), why).undone_by(all("SET")))
    }

    /// Making and dropping each function.
    fn functions(&self) -> Vec<(String, String)> {
        [("before", self.before()), ("after", self.after())]
            .into_iter()
            .map(|(word, body)| {
                let function = self.end.table.sibling(self.named(word));
                let create = format!(
                    "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS {}",
                    DollarQuoted(&body)
                );
                (create, format!("DROP FUNCTION {function}()"))
            })
            .collect()
    }

    /// Making and dropping each trigger.
    fn triggers(&self) -> Vec<(String, String)> {
        let own = self.family.iter().filter(|it| !self.sides.old.contains(&partition::id(it)));
        // A row that went counts where several are put together.
        let gone = if self.gives && !self.end.is_one { " OR DELETE" } else { "" };
        let before = if self.gives { "INSERT" } else { "INSERT OR UPDATE" };
        let after = format!("INSERT OR UPDATE{gone}");
        let triggers = own.flat_map(|on| {
            [("before", "BEFORE", before), ("after", "AFTER", after.as_str())].map(|(word, when, events)| {
                let name = self.named(word);
                let function = self.end.table.sibling(name.clone());
                (
                    format!(
                        "CREATE TRIGGER {name} {when} {events} ON {on} FOR EACH ROW EXECUTE FUNCTION {function}()"
                    ),
                    format!("DROP TRIGGER {name} ON {on}"),
                )
            })
        });
        triggers.collect()
    }

    /// A row that does not say what it has in the columns takes it from the other table, where there is something.
    fn before(&self) -> String {
        let end = &self.end;
        let schema = if self.gives { self.sides.old } else { self.sides.new };
        let defaults = end.columns.keys().map(|name| {
            let default = default::find(schema, end.table, name).filter(|it| it.is_surely_stable());
            let value = default.map_or("NULL".to_owned(), |it| it.expression.to_string());
            let data_type = column::find(schema, end.table, name).map_or("text", |it| it.data_type.as_str());
            format!("({value})::{data_type}")
        });
        let is_null = |row: &str| {
            end.columns.keys().map(|it| format!("{row}.{it} IS NULL")).collect::<Vec<_>>().join(" AND ")
        };
        let not_given = format!("{} OR {}", is_null("NEW"), same(&end.fields("NEW"), &list(defaults)));
        let (other, partners) = (end.other, end.partners("NEW"));
        let values = list(end.columns.values().map(|it| format!("({it})")));
        let take = format!(
            "IF EXISTS (SELECT FROM {other} WHERE {partners}) THEN\n            \
             SELECT {values} INTO {into} FROM {other} WHERE {partners}{aggregate};\n        END IF;",
            into = end.fields("NEW"),
            aggregate = end.aggregate(),
        );
        // Whoever writes that row at this moment is waited for, and seen.
        let hold = format!("PERFORM FROM {other} WHERE {partners} FOR SHARE;");
        let on_update = format!(
            "    ELSIF {new_stays} AND NOT {keys_stay} THEN\n        {hold}\n        {take}\n    \
             ELSIF {new_stays} AND {was_null} THEN\n        {take}\n",
            new_stays = same(&end.fields("NEW"), &end.fields("OLD")),
            keys_stay = same(&end.key_fields("NEW"), &end.key_fields("OLD")),
            was_null = is_null("OLD"),
        );
        format!(
            "\n#variable_conflict use_column\nBEGIN\n    \
             IF TG_OP = 'INSERT' THEN\n        IF NOT ({not_given}) THEN\n            RETURN NEW;\n        END IF;\n        \
             {hold}\n        {take}\n{on_update}    END IF;\n    RETURN NEW;\nEND\n",
            on_update = if self.gives { String::new() } else { on_update },
        )
    }

    /// A row that says something else than the other table has writes it there.
    fn after(&self) -> String {
        let (end, other) = (&self.end, &self.other);
        let mark = Literal(self.mark.as_str());
        let write = |row: &str, beside: &str| {
            let partners = end.partners(row);
            // Where others put the same row together, one comes after the other and sees what it did.
            let hold = match end.is_one {
                true => String::new(),
                false => format!("PERFORM FROM {} WHERE {partners} FOR NO KEY UPDATE;\n        ", other.table),
            };
            let write = format!("{hold}UPDATE {} SET {} WHERE {partners}{beside}", other.table, other.set());
            // The triggers of the other table know these writes to be ours.
            format!(
                "PERFORM pg_catalog.set_config('{DOING}', {mark}, true);\n        {write};\n        \
                 PERFORM pg_catalog.set_config('{DOING}', coalesce(its_doing, ''), true);"
            )
        };
        let stays = same(
            &list([end.fields("NEW"), end.key_fields("NEW")]),
            &list([end.fields("OLD"), end.key_fields("OLD")]),
        );
        let nothing = end.columns.keys().map(|it| format!("NEW.{it} IS NULL")).collect::<Vec<_>>().join(" AND ");
        let mut body = format!(
            "\n#variable_conflict use_column\nDECLARE\n    \
             its_doing text := pg_catalog.current_setting('{DOING}', true);\nBEGIN\n    \
             IF its_doing IS NOT DISTINCT FROM {mark} THEN\n        RETURN NULL;\n    END IF;\n"
        );
        if self.gives && !end.is_one {
            // Several rows are put together anew where one has left them.
            let left = format!(" AND EXISTS (SELECT FROM {} WHERE {})", end.table, other.partners(&other.outer()));
            let moved = format!("NOT {}", same(&end.key_fields("NEW"), &end.key_fields("OLD")));
            let write = write("OLD", &left);
            body += &format!(
                "    IF TG_OP = 'DELETE' THEN\n        {write}\n        RETURN NULL;\n    \
                 ELSIF TG_OP = 'UPDATE' AND {moved} THEN\n        {write}\n    END IF;\n"
            );
        }
        body += &format!(
            "    IF TG_OP = 'UPDATE' AND {stays} OR TG_OP = 'INSERT' AND {nothing} THEN\n        RETURN NULL;\n    END IF;\n"
        );
        if !self.gives {
            // A row that was filled from there says what is there.
            let there = end.columns.values().map(|it| format!("({})", end.select(&[it], "NEW")));
            let known = same(&end.fields("NEW"), &list(there));
            body += &format!("    IF {known} THEN\n        RETURN NULL;\n    END IF;\n");
        }
        body + &format!("        {}\n    RETURN NULL;\nEND\n", write("NEW", ""))
    }
}

/// Whether two rows are the same as they are stored, nulls too.
fn same(a: &str, b: &str) -> String {
    format!("pg_catalog.record_image_eq(ROW({a}), ROW({b}))")
}
