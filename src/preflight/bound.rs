//! The bound of a partition, as a condition on rows and beside another bound. Pure.

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableType, Node, PartitionBoundSpec};

use super::tree::{commands, text};
use crate::source::syntax::statement;

/// The bound of a partition. An end that is open is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    List(Vec<String>),
    Range { lower: Vec<Option<String>>, upper: Vec<Option<String>> },
}

/// As a statement has it; none for DEFAULT and for hashes.
pub(super) fn bound(spec: &PartitionBoundSpec) -> Option<Bound> {
    let ends = |datums: &[Node]| -> Option<Vec<Option<String>>> {
        datums
            .iter()
            .map(|it| match text(it)?.to_lowercase().as_str() {
                "minvalue" | "maxvalue" => Some(None),
                _ => Some(Some(text(it)?)),
            })
            .collect()
    };
    match spec.strategy.as_str() {
        _ if spec.is_default => None,
        "l" => Some(Bound::List(spec.listdatums.iter().map(text).collect::<Option<_>>()?)),
        "r" => Some(Bound::Range { lower: ends(&spec.lowerdatums)?, upper: ends(&spec.upperdatums)? }),
        _ => None,
    }
}

impl Bound {
    /// As the server prints it: `FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`.
    pub fn read(printed: &str) -> Option<Bound> {
        let Some(NodeEnum::AlterTableStmt(alter)) =
            statement(&format!("ALTER TABLE a.b ATTACH PARTITION a.c {printed}"))
        else {
            return None;
        };
        let (_, definition) = commands(&alter, AlterTableType::AtAttachPartition).next()?;
        let Some(NodeEnum::PartitionCmd(it)) = definition.and_then(|it| it.node.as_ref()) else { return None };
        it.bound.as_ref().and_then(bound)
    }

    /// An expression that is true where some value is inside of both. `None` where an open end stands among several
    /// columns.
    pub fn meets(&self, other: &Bound, types: &[String]) -> Option<String> {
        match (self, other, types) {
            (Bound::List(a), Bound::List(b), [data_type]) => Some(format!(
                "EXISTS (SELECT unnest(ARRAY[{}]::{data_type}[]) INTERSECT SELECT unnest(ARRAY[{}]::{data_type}[]))",
                a.join(", "),
                b.join(", ")
            )),
            (Bound::Range { lower: a, upper: b }, Bound::Range { lower: c, upper: d }, types) => {
                let below = |low: &[Option<String>], high: &[Option<String>]| match (low, high) {
                    ([None], _) | (_, [None]) => Some("true".to_owned()),
                    _ => {
                        let row = |values: &[Option<String>]| {
                            let cast = |(value, to): (&Option<String>, &String)| {
                                value.as_ref().map(|it| format!("({it})::{to}"))
                            };
                            let values: Option<Vec<String>> = values.iter().zip(types).map(cast).collect();
                            values.map(|it| format!("ROW({})", it.join(", ")))
                        };
                        Some(format!("{} < {}", row(low)?, row(high)?))
                    }
                };
                Some(format!("{} AND {}", below(a, d)?, below(c, b)?))
            }
            _ => None,
        }
    }

    /// A condition that is true for the rows inside. `None` where an open end stands among several columns.
    pub fn condition(&self, columns: &[String]) -> Option<String> {
        let names = columns.join(", ");
        match (self, columns) {
            (Bound::List(values), [column]) => Some(format!("{column} IN ({})", values.join(", "))),
            (Bound::List(_), _) => None,
            (Bound::Range { lower, upper }, _) => {
                let end = |sign: &str, values: &[Option<String>]| match values {
                    [None] => Some("true".to_owned()),
                    _ => {
                        let values: Option<Vec<&str>> = values.iter().map(|it| it.as_deref()).collect();
                        Some(format!("({names}) {sign} ({})", values?.join(", ")))
                    }
                };
                Some(format!("{} AND {}", end(">=", lower)?, end("<", upper)?))
            }
        }
    }
}
