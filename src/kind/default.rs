//! `DEFAULT` of a column. A new column takes its default along in ADD COLUMN, so that rows that stand already get
//! the value; what comes here is the default of a column that was there before, or one that had to wait.

use pg_query::NodeEnum;
use pg_query::protobuf::Node;
use serde::{Deserialize, Serialize};

use crate::kind::expr::Expr;
use crate::kind::{Alter, Definition, Kind, Object, ObjectId, column, table};
use crate::lock::Lock;
use crate::name::{Literal, Name, QName};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::{Schema, Sides};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Default {
    pub table: QName,
    pub column: Name,
    pub expression: Expr,
}

/// The default of the column in a schema.
pub fn find<'a>(schema: &'a Schema, table: &QName, column: &Name) -> Option<&'a Default> {
    match schema.get(&ObjectId::new(Kind::Default, [&table.namespace, &table.name, column])) {
        Some(Object::Default(default)) => Some(default),
        _ => None,
    }
}

impl Default {
    fn column_id(&self) -> ObjectId {
        column::id(&self.table, &self.column)
    }

    /// Whether the expression surely has one value for all rows: then ADD COLUMN keeps it beside the table and
    /// writes no row. What can't be told from the text counts as different for each row.
    pub fn is_surely_stable(&self) -> bool {
        let Ok(parsed) = pg_query::parse(&format!("SELECT {}", self.expression), 0) else { return false };
        let statement = parsed.protobuf.stmts.first().and_then(|it| it.stmt.as_ref()).and_then(|it| it.node.as_ref());
        let Some(NodeEnum::SelectStmt(select)) = statement else { return false };
        select.target_list.iter().all(|target| match &target.node {
            Some(NodeEnum::ResTarget(it)) => is_stable(it.val.as_deref()),
            _ => false,
        })
    }

    fn set(&self, sides: &Sides<'_>) -> Step {
        let only = table::only(sides, &self.table);
        Step::new(format!(
            "ALTER TABLE {only}{} ALTER COLUMN {} SET DEFAULT {}",
            self.table, self.column, self.expression
        ))
        .locks(&self.table, Lock::AccessExclusive)
    }

    /// The same for a new column, which its table's descendants get with it.
    fn set_with_heirs(&self, sides: &Sides<'_>) -> Step {
        let alter = format!("ALTER TABLE {} ALTER COLUMN {}", self.table, self.column);
        let set = Step::new(format!("{alter} SET DEFAULT {}", self.expression));
        let set = set.undone_by(format!("{alter} DROP DEFAULT"));
        table::reach(sides, &self.table).iter().fold(set, |it, member| it.locks(member, Lock::AccessExclusive))
    }

    /// The default of a new column that could not come along: given to the rows that stand already, in the one
    /// statement that also makes the column NOT NULL. No trigger fires.
    fn fill(&self, it: &column::Column, sides: &Sides<'_>) -> Step {
        let name = &self.column;
        let mut actions = vec![
            format!("ALTER COLUMN {name} TYPE {} USING {}", it.data_type, self.expression),
            format!("ALTER COLUMN {name} SET DEFAULT {}", self.expression),
        ];
        if it.not_null.is_some() {
            actions.push(format!("ALTER COLUMN {name} SET NOT NULL"));
        }
        let mut step = Step::new(format!("ALTER TABLE {} {}", self.table, actions.join(", ")))
            .summary(format!("fills {}.{name} from its default", self.table));
        for member in table::reach(sides, &self.table) {
            step = step.locks(&member, Lock::AccessExclusive);
        }
        step = table::family(sides, &self.table).iter().filter(|it| table::stores(sides, it)).fold(step, Step::rewrites);
        if table::may_hold_rows(sides, &self.table) {
            step = step.hazard(Code::RewriteTable, self.column_id(), table::evidence(sides, &self.table));
        }
        step
    }

    /// Lets a new sequence go on after the values that stand in the column.
    fn position(&self, sides: &Sides<'_>) -> Option<Step> {
        let id = self.id();
        let sequence = sides.new.needs_of(&id).find_map(|need| match sides.new.get(need) {
            Some(Object::Sequence(it))
                if sides.is_new(need) && it.owned_by == Some((self.table.clone(), self.column.clone())) =>
            {
                Some(it)
            }
            _ => None,
        })?;
        let (aggregate, sign) = if sequence.options.increment > 0 { ("max", '+') } else { ("min", '-') };
        Some(
            Step::new(format!(
                "SELECT setval({}, coalesce({aggregate}({}) {sign} {}, {}), false) FROM {}",
                Literal(&sequence.name.to_string()),
                self.column,
                sequence.options.increment.unsigned_abs(),
                sequence.options.start,
                self.table,
            ))
            .summary(format!("lets {} go on after the values in {}.{}", sequence.name, self.table, self.column))
            .locks(&self.table, Lock::AccessShare),
        )
    }
}

/// Constants, casts of them, the times and names that are fixed within a statement, and the server's own operators
/// and functions on these. Names of others would come with their namespace.
fn is_stable(node: Option<&Node>) -> bool {
    const FUNCTIONS: &[&str] = &[
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "current_setting",
        "current_database",
        "current_schema",
        "timezone",
        "date_trunc",
        "date_part",
        "extract",
        "date",
        "make_interval",
        "json_build_object",
        "json_build_array",
        "json_build_object",
        "json_build_array",
        "to_char",
        "lower",
        "upper",
        "concat",
        "md5",
        "round",
        "floor",
        "txid_current",
    ];
    match node.and_then(|it| it.node.as_ref()) {
        Some(NodeEnum::AConst(_) | NodeEnum::SqlvalueFunction(_)) => true,
        Some(NodeEnum::TypeCast(it)) => is_stable(it.arg.as_deref()),
        Some(NodeEnum::CollateClause(it)) => is_stable(it.arg.as_deref()),
        Some(NodeEnum::AArrayExpr(it)) => it.elements.iter().all(|it| is_stable(Some(it))),
        Some(NodeEnum::AExpr(it)) => {
            own(&it.name).is_some()
                && [&it.lexpr, &it.rexpr].into_iter().flatten().all(|side| is_stable(Some(side)))
        }
        Some(NodeEnum::FuncCall(it)) => {
            own(&it.funcname).is_some_and(|name| FUNCTIONS.contains(&name))
                && it.args.iter().all(|it| is_stable(Some(it)))
        }
        _ => false,
    }
}

/// The name of an operator or function of the server's own.
fn own(name: &[Node]) -> Option<&str> {
    match name {
        [last] => word(last),
        [namespace, last] if word(namespace) == Some("pg_catalog") => word(last),
        _ => None,
    }
}

fn word(node: &Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::String(it)) => Some(&it.sval),
        _ => None,
    }
}

impl Definition for Default {
    const NOUN: &'static str = "default of column";

    // The expression of a generated column is the column's own.
    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_attrdef'::regclass::oid::int8, ad.oid::int8, 0),
            'def', json_build_object(
                'table', json_build_array(n.nspname, c.relname),
                'column', a.attname,
                'expression', pg_get_expr(ad.adbin, ad.adrelid)))
          FROM pg_attrdef ad
          JOIN pg_attribute a ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
          JOIN pg_class c ON c.oid = ad.adrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND a.attgenerated = ''
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.objsubid = 0 AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Default, [&self.table.namespace, &self.table.name, &self.column])
    }

    fn reference(path: &[Name]) -> String {
        format!("COLUMN {}", super::dotted(path))
    }

    fn needs(&self) -> Vec<ObjectId> {
        vec![self.column_id()]
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(self.column_id())
    }

    /// Labels that go are let go of before.
    fn changes_before(&self, need: &ObjectId, sides: &Sides<'_>) -> bool {
        match (sides.old.get(need), sides.new.get(need)) {
            (Some(Object::EnumType(old)), Some(Object::EnumType(new))) => old.only_loses(new),
            _ => false,
        }
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            // The server would convert a default with its column, but into another expression than is declared.
            Disturbance::Retype { .. } | Disturbance::Replace => false,
            // The statement that converts the column takes care of it.
            Disturbance::Swap => true,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        let column = self.column_id();
        let it = column::find(sides.new, &self.table, &self.column);
        if sides.is_new(&table::id(&self.table)) {
            let inherits = table::find(sides.new, &self.table).is_some_and(|it| !it.inherits.0.is_empty());
            if inherits && it.is_some_and(|it| it.inherited.0) {
                // CREATE TABLE doesn't name the column, so there is nothing to write the default behind.
                return if self.comes_with_a_parent(sides) { vec![] } else { vec![self.set(sides)] };
            }
            let text = format!(" DEFAULT {}", self.expression);
            return vec![self.set(sides).clause_after(table::id(&self.table), column, text)];
        }
        match it.filter(|it| sides.is_new(&column) && !it.is_parked(sides)) {
            Some(it) if it.inherited.0 && self.is_inherited(sides) => vec![],
            Some(it) if it.takes_default_along(sides) && !it.inherited.0 => vec![],
            Some(it) if !it.inherited.0 && (table::may_hold_rows(sides, &self.table) || it.not_null.is_some()) => {
                match (it.hand_over(sides), it.filled_by_batches(&self.expression.to_string(), sides)) {
                    (Some(step), _) => vec![step],
                    (None, Some(filled)) => std::iter::once(self.set_with_heirs(sides)).chain(filled).collect(),
                    (None, None) => vec![self.fill(it, sides)],
                }
            }
            Some(it) if !it.inherited.0 => vec![self.set_with_heirs(sides)],
            Some(_) => vec![self.set(sides)],
            None => {
                let position = self.position(sides).filter(|_| table::may_hold_rows(sides, &self.table));
                std::iter::once(self.set(sides)).chain(position).collect()
            }
        }
    }

    fn alter(&self, new: &Self, sides: &Sides<'_>) -> Alter {
        Alter::Steps(vec![new.set(sides)])
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let only = table::only(sides, &self.table);
        let mut step =
            Step::new(format!("ALTER TABLE {only}{} ALTER COLUMN {} DROP DEFAULT", self.table, self.column))
                .stage(Stage::Contract)
                .locks(&self.table, Lock::AccessExclusive);
        let column = column::find(sides.new, &self.table, &self.column);
        let replaced = sides.new.contains(&self.id()) || column.is_some_and(|it| it.identity.is_some());
        if !replaced && !sides.is_new(&table::id(&self.table)) {
            let why = format!("INSERT into {} may rely on it", self.table);
            step = step.hazard(Code::DropDefault, self.column_id(), why);
        }
        vec![step]
    }
}

impl Default {
    /// Whether it is that of the table whose statement brought the column; tables in between may have others.
    fn is_inherited(&self, sides: &Sides<'_>) -> bool {
        let brings = |it: &Default| match column::find(sides.new, &it.table, &it.column) {
            Some(column) if column.inherited.0 => it.is_inherited(sides),
            _ => true,
        };
        self.handed_down(sides).any(brings)
    }

    /// Whether a parent has the same default already when its heirs are made.
    fn comes_with_a_parent(&self, sides: &Sides<'_>) -> bool {
        let is_there = |it: &&Default| {
            sides.is_new(&it.column_id()) || find(sides.old, &it.table, &it.column) == Some(*it)
        };
        self.handed_down(sides)
            .filter(is_there)
            .filter_map(|it| column::find(sides.new, &it.table, &it.column))
            .any(|it| it.takes_default_along(sides))
    }

    /// The same default of the parents.
    fn handed_down<'a>(&self, sides: &Sides<'a>) -> impl Iterator<Item = &'a Default> {
        table::parents(sides.new, &self.table)
            .into_iter()
            .filter_map(|parent| find(sides.new, &parent, &self.column))
            .filter(|it| it.expression == self.expression)
    }
}
