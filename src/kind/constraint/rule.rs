//! What a constraint asks of rows: keys, exclusions, checks, foreign keys, and how each is written.

use std::collections::BTreeSet;
use serde::{Deserialize, Serialize};
use crate::kind::column::Aside;
use crate::kind::expr::Expr;
use crate::kind::index::{self, Key, Storage, Subject};
use crate::kind::index_partition::End;
use crate::kind::{Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{Name, QName, list};
use crate::plan::Step;
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Rule {
    Unique(Unique),
    Exclusion(Exclusion),
    Check(Check),
    Foreign(ForeignKey),
}

/// A primary or unique key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unique {
    pub primary: bool,
    pub columns: Vec<Name>,
    /// WITHOUT OVERLAPS on the last column, from 18 on.
    pub without_overlaps: bool,
    pub nulls_not_distinct: bool,
    pub include: Vec<Name>,
    pub storage: Storage,
    /// The index that that of the constraint is attached to.
    pub parent: Aside<Option<End>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exclusion {
    pub method: Name,
    pub elements: Vec<Element>,
    pub include: Vec<Name>,
    pub predicate: Option<Expr>,
    pub storage: Storage,
    /// The index that that of the constraint is attached to.
    pub parent: Aside<Option<End>>,
}

impl Exclusion {
    /// Whether it has an expression or a condition, not columns alone.
    pub fn is_computed(&self) -> bool {
        self.predicate.is_some() || self.elements.iter().any(|it| it.key.is_computed())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Element {
    #[serde(flatten)]
    pub key: Key,
    pub operator: QName,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub expression: Expr,
    pub no_inherit: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForeignKey {
    pub columns: Vec<Name>,
    pub to: QName,
    pub to_columns: Vec<Name>,
    /// PERIOD on the last columns, from 18 on.
    pub period: bool,
    pub match_full: bool,
    pub on_update: Action,
    pub on_delete: Action,
    /// The columns that ON DELETE SET NULL or SET DEFAULT sets, where not all, from 15 on.
    pub set_columns: Vec<Name>,
    /// The key of the other table that it stands on, where several are on these columns.
    pub key: Aside<Name>,
}

/// What happens to a row whose partner changes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    #[serde(rename = "a")]
    NoAction,
    #[serde(rename = "r")]
    Restrict,
    #[serde(rename = "c")]
    Cascade,
    #[serde(rename = "n")]
    SetNull,
    #[serde(rename = "d")]
    SetDefault,
}

impl Action {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Action::NoAction => "NO ACTION",
            Action::Restrict => "RESTRICT",
            Action::Cascade => "CASCADE",
            Action::SetNull => "SET NULL",
            Action::SetDefault => "SET DEFAULT",
        }
    }
}

impl Rule {
    /// How the index of the constraint is stored, where it has one.
    pub fn storage(&self) -> Option<&Storage> {
        match self {
            Rule::Unique(it) => Some(&it.storage),
            Rule::Exclusion(it) => Some(&it.storage),
            Rule::Check(_) | Rule::Foreign(_) => None,
        }
    }

    pub fn storage_mut(&mut self) -> Option<&mut Storage> {
        match self {
            Rule::Unique(it) => Some(&mut it.storage),
            Rule::Exclusion(it) => Some(&mut it.storage),
            Rule::Check(_) | Rule::Foreign(_) => None,
        }
    }

    /// Whether the index of the constraint is a B-tree.
    pub(super) fn is_btree(&self) -> bool {
        match self {
            Rule::Unique(it) => !it.without_overlaps,
            Rule::Exclusion(it) => it.method.as_str() == "btree",
            Rule::Check(_) | Rule::Foreign(_) => false,
        }
    }

    /// Whether the two can be one key of a partitioned table and of its partition.
    pub fn is_part_like(&self, other: &Rule) -> bool {
        match (self, other) {
            (Rule::Unique(own), Rule::Unique(other)) => {
                let bare = |it: &Unique| Unique { storage: own.storage.clone(), parent: Aside(None), ..it.clone() };
                bare(own) == bare(other)
            }
            (Rule::Exclusion(own), Rule::Exclusion(other)) => {
                let bare = |it: &Exclusion| {
                    let elements = it.elements.iter().cloned();
                    let key = |it: Element| Element { key: Key { statistics: None, ..it.key }, ..it };
                    let (storage, elements) = (own.storage.clone(), elements.map(key).collect());
                    Exclusion { storage, elements, parent: Aside(None), ..it.clone() }
                };
                bare(own) == bare(other)
            }
            _ => false,
        }
    }

    /// The index that the constraint's index is attached to.
    pub(super) fn parent(&self) -> Option<&End> {
        match self {
            Rule::Unique(it) => it.parent.0.as_ref(),
            Rule::Exclusion(it) => it.parent.0.as_ref(),
            Rule::Check(_) | Rule::Foreign(_) => None,
        }
    }

    pub(super) fn sql(&self, sides: &Sides<'_>) -> String {
        match self {
            Rule::Unique(it) => it.sql(),
            Rule::Exclusion(it) => it.sql(),
            Rule::Check(it) => {
                let no_inherit = if it.no_inherit { " NO INHERIT" } else { "" };
                format!("CHECK {}{no_inherit}", in_parentheses(&it.expression.0))
            }
            Rule::Foreign(it) => it.sql(sides),
        }
    }
}

impl Unique {
    pub(super) fn sql(&self) -> String {
        let mut sql = String::from(if self.primary { "PRIMARY KEY" } else { "UNIQUE" });
        if self.nulls_not_distinct {
            sql += " NULLS NOT DISTINCT";
        }
        let overlaps = if self.without_overlaps { " WITHOUT OVERLAPS" } else { "" };
        sql += &format!(" ({}{overlaps})", list(&self.columns));
        sql + &index_clauses(&self.include, &self.storage)
    }

    /// `CREATE UNIQUE INDEX CONCURRENTLY`: an index that the constraint can take over.
    pub(super) fn build(&self, guard: &str, name: &Name, table: &QName) -> Step {
        let mut sql = format!("CREATE UNIQUE INDEX CONCURRENTLY {guard}{name} ON {table} ({})", list(&self.columns));
        if !self.include.is_empty() {
            sql += &format!(" INCLUDE ({})", list(&self.include));
        }
        if self.nulls_not_distinct {
            sql += " NULLS NOT DISTINCT";
        }
        sql += &self.storage.with();
        if let Some(tablespace) = &self.storage.tablespace {
            sql += &format!(" TABLESPACE {tablespace}");
        }
        Step::new(sql)
            .outside_transaction()
            .locks(table, Lock::ShareUpdateExclusive)
            .check(index::is_valid(&table.sibling(name.clone())))
    }
}

impl Exclusion {
    pub(super) fn sql(&self) -> String {
        let elements = list(self.elements.iter().map(|it| {
            let operator = match it.operator.namespace.as_str() {
                "pg_catalog" => it.operator.name.as_str().to_owned(),
                _ => format!("OPERATOR({}.{})", it.operator.namespace, it.operator.name.as_str()),
            };
            format!("{} WITH {operator}", it.key.sql())
        }));
        let index = index_clauses(&self.include, &self.storage);
        let predicate = match &self.predicate {
            Some(it) => format!(" WHERE {}", in_parentheses(&it.0)),
            None => String::new(),
        };
        format!("EXCLUDE USING {} ({elements}){index}{predicate}", self.method)
    }
}

impl ForeignKey {
    /// Whether it stands on the primary key though another key is on the same columns, before the plan or after.
    pub(super) fn means_primary_key(&self, sides: &Sides<'_>) -> bool {
        let keys = |schema: &'_ Schema| -> Vec<(Name, Unique)> {
            let constraints = schema.of_relation(Kind::Constraint, &self.to);
            constraints
                .filter_map(|object| match object {
                    Object::Constraint(it) => match &it.rule {
                        Rule::Unique(key) => Some((it.name.clone(), key.clone())),
                        _ => None,
                    },
                    _ => None,
                })
                .collect()
        };
        let set = |columns: &[Name]| columns.iter().cloned().collect::<BTreeSet<_>>();
        let (old, new) = (keys(sides.old), keys(sides.new));
        let is_primary = new.iter().any(|(name, key)| {
            *name == self.key.0 && key.primary && key.columns == self.to_columns
        });
        let another = |(name, key): &(Name, Unique)| {
            *name != self.key.0 && set(&key.columns) == set(&self.to_columns)
        };
        is_primary && !self.period && (old.iter().any(another) || new.iter().any(another))
    }

    /// Keys and unique indexes on the columns that it refers to which go, or move to others, and which the server would
    /// take for it while they are there.
    pub(in crate::kind) fn former_keys(&self, sides: &Sides<'_>) -> Vec<ObjectId> {
        if self.means_primary_key(sides) {
            return vec![];
        }
        let set = |columns: &[Name]| columns.iter().cloned().collect::<BTreeSet<_>>();
        let fits = |object: &Object| match object {
            Object::Constraint(it) => {
                matches!(&it.rule, Rule::Unique(key) if set(&key.columns) == set(&self.to_columns))
            }
            Object::Index(it) => {
                let columns = it.keys.iter().map(|key| match &key.of {
                    Subject::Column(name) => Some(name.clone()),
                    Subject::Expression(_) => None,
                });
                let columns: Option<BTreeSet<Name>> = columns.collect();
                it.unique && it.predicate.is_none() && columns == Some(set(&self.to_columns))
            }
            _ => false,
        };
        let of_table = |it: &&Object| matches!(it, Object::Index(it) if it.table == self.to);
        let indexes = sides.old.of_kind(Kind::Index).filter(of_table);
        let ids = sides.old.of_relation(Kind::Constraint, &self.to).chain(indexes).filter(|it| fits(it)).map(Object::id);
        ids.filter(|id| !sides.new.get(id).is_some_and(fits)).collect()
    }

    pub(super) fn sql(&self, sides: &Sides<'_>) -> String {
        let columns = |names: &[Name]| match names.split_last() {
            Some((last, rest)) if self.period => {
                list(rest.iter().map(Name::to_string).chain([format!("PERIOD {last}")]))
            }
            _ => list(names),
        };
        let (from, to) = (columns(&self.columns), columns(&self.to_columns));
        let mut sql = format!("FOREIGN KEY ({from}) REFERENCES {}", self.to);
        // The server takes the first key that fits, unless no columns are named: that is the primary key.
        if !self.means_primary_key(sides) {
            sql += &format!(" ({to})");
        }
        if self.match_full {
            sql += " MATCH FULL";
        }
        if self.on_update != Action::NoAction {
            sql += &format!(" ON UPDATE {}", self.on_update.sql());
        }
        if self.on_delete != Action::NoAction {
            sql += &format!(" ON DELETE {}", self.on_delete.sql());
        }
        if !self.set_columns.is_empty() {
            sql += &format!(" ({})", list(&self.set_columns));
        }
        sql
    }
}

/// ` INCLUDE (…) WITH (…) USING INDEX TABLESPACE …`, as far as there is anything to say.
pub(super) fn index_clauses(include: &[Name], storage: &Storage) -> String {
    let mut sql = String::new();
    if !include.is_empty() {
        sql += &format!(" INCLUDE ({})", list(include));
    }
    sql += &storage.with();
    if let Some(tablespace) = &storage.tablespace {
        sql += &format!(" USING INDEX TABLESPACE {tablespace}");
    }
    sql
}

/// The expression with parentheses around it: its own, where it is one group as a whole.
pub(super) fn in_parentheses(expression: &str) -> String {
    if is_one_group(expression) { expression.to_owned() } else { format!("({expression})") }
}

pub(super) fn is_one_group(expression: &str) -> bool {
    let (mut depth, mut quote) = (0_usize, None);
    let mut closed = false;
    for c in expression.chars() {
        if closed {
            return false;
        }
        match (quote, c) {
            // A doubled quote ends the text and begins it again, which comes to the same.
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth = depth.saturating_sub(1);
                closed = depth == 0;
            }
            (None, _) => {}
        }
        if depth == 0 && !closed {
            return false;
        }
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_keeps_its_own_parentheses() {
        for (expression, sql) in [
            ("(a > 1)", "(a > 1)"),
            ("a > 1", "(a > 1)"),
            ("(a) OR (b)", "((a) OR (b))"),
            ("(a = ')'::text)", "(a = ')'::text)"),
            ("(\"a(\" = 'it''s (')", "(\"a(\" = 'it''s (')"),
            ("((a > 1) AND (b > 2))", "((a > 1) AND (b > 2))"),
            ("f(a)", "(f(a))"),
        ] {
            assert_eq!(in_parentheses(expression), sql);
        }
    }
}
