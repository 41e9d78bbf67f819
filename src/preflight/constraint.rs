//! What rows may hold against a constraint that a plan adds. Pure.

use std::collections::BTreeSet;

use pg_query::NodeEnum;
use pg_query::protobuf::{ConstrType, Constraint, Node};

use super::tree::{named, operator_of, quoted, strings, text};
use super::{Asked, Term, What};
use crate::source::syntax;

impl Asked {
    /// Whether the rows that there are have to satisfy a constraint, of a table or a domain, before the plan is done.
    pub(super) fn holds(&self, of: &str, it: &Constraint) -> bool {
        let may_be_idle = [ConstrType::ConstrCheck as i32, ConstrType::ConstrForeign as i32].contains(&it.contype);
        let validated = || self.validated.contains(&(of.to_owned(), quoted(&it.conname)));
        (it.is_enforced || !may_be_idle) && (!it.skip_validation || validated())
    }

    pub(super) fn constraint(&mut self, table: &str, it: &Constraint) {
        match ConstrType::try_from(it.contype) {
            Ok(ConstrType::ConstrCheck) => self.check(table, it),
            Ok(ConstrType::ConstrNotnull) => {
                for column in strings(&it.keys) {
                    self.required(table, &column);
                }
            }
            Ok(ConstrType::ConstrUnique | ConstrType::ConstrPrimary) if it.indexname.is_empty() => {
                self.key(table, it);
            }
            Ok(ConstrType::ConstrExclusion) => {
                let element = |it: &Node| match &it.node {
                    Some(NodeEnum::List(pair)) => match pair.items.as_slice() {
                        [element, operator] => Some((self.element(table, element)?, operator_of(operator)?)),
                        _ => None,
                    },
                    _ => None,
                };
                let of: Option<Vec<(Term, String)>> = it.exclusions.iter().map(element).collect();
                if let Some(of) = of {
                    let condition = it.where_clause.as_deref().and_then(text);
                    self.push(table.to_owned(), What::Conflicts { of, condition });
                }
            }
            Ok(ConstrType::ConstrForeign) => self.reference(table, it),
            _ => {}
        }
    }

    fn check(&mut self, table: &str, it: &Constraint) {
        let Some(expression) = it.raw_expr.as_deref() else { return };
        let mut columns = BTreeSet::new();
        syntax::columns_in(&serde_json::to_value(expression).unwrap_or_default(), &mut columns);
        let columns: Vec<String> = columns.iter().map(|it| quoted(it)).collect();
        let Some(with) = self.with(table, &columns) else { return };
        // That a value is there is asked of what gives it.
        let is_asked = !with.is_empty() && matches!(expression.node, Some(NodeEnum::NullTest(_)));
        if let Some(expression) = text(expression).filter(|_| !is_asked) {
            let fault = format!("break the check {}", quoted(&it.conname));
            let condition = format!("NOT ({expression})");
            self.push(table.to_owned(), What::Rows { condition, fault, with });
        }
    }

    fn key(&mut self, table: &str, it: &Constraint) {
        let of: Option<Vec<Term>> = strings(&it.keys).iter().map(|column| self.term(table, column)).collect();
        let Some(of) = of.filter(|it| !it.is_empty()) else { return };
        if !it.without_overlaps {
            let columns = of.iter().map(|it| it.value.clone()).chain(strings(&it.including)).collect();
            let nulls_too = it.nulls_not_distinct;
            self.push(table.to_owned(), What::Duplicates { of, nulls_too, condition: None });
            return self.long(table, quoted(&it.conname), columns, None);
        }
        if let Some(last) = of.last() {
            let fault = format!("have an empty range in {}, and a key WITHOUT OVERLAPS takes none", last.name);
            let condition = format!("isempty({})", last.value);
            self.push(table.to_owned(), What::Rows { condition, fault, with: vec![] });
        }
        let places = of.len();
        let operator = |at| if at + 1 == places { "&&" } else { "=" };
        let of = of.into_iter().enumerate().map(|(at, it)| (it, operator(at).to_owned())).collect();
        self.push(table.to_owned(), What::Conflicts { of, condition: None });
    }

    fn reference(&mut self, table: &str, it: &Constraint) {
        let Some(to) = it.pktable.as_ref().and_then(named).map(|it| self.live(it)) else { return };
        let values = |table: &str, columns: &[Node]| -> Option<Vec<String>> {
            strings(columns).iter().map(|column| self.value(table, column)).collect()
        };
        if let (Some(columns), Some(to_columns)) = (values(table, &it.fk_attrs), values(&to, &it.pk_attrs))
            && !to_columns.is_empty()
            && !self.new_tables.contains(&to)
        {
            let period = it.fk_with_period;
            if it.fk_matchtype == "f" && columns.len() > 1 {
                let fault =
                    "have some of the columns of a foreign key that is MATCH FULL, and no value for the others";
                let condition = format!("num_nulls({}) BETWEEN 1 AND {}", columns.join(", "), columns.len() - 1);
                self.push(table.to_owned(), What::Rows { condition, fault: fault.to_owned(), with: vec![] });
            }
            self.push(table.to_owned(), What::Orphans { columns, to, to_columns, period });
        }
    }
}
