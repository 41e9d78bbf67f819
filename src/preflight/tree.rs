//! What the questions read in statements: trees of SQL and their parts, as text that the server takes again. Pure.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterTableStmt, AlterTableType, BoolExprType, ColumnDef, ConstrType, Node, NullTest, NullTestType, RangeVar,
    TypeName, UpdateStmt,
};

use serde_json::Value;

use crate::name::Name;
use crate::source::syntax::statement;

/// An operator as a list of the words of its name: `OPERATOR(pg_catalog.&&)`.
pub(super) fn operator_of(words: &Node) -> Option<String> {
    let Some(NodeEnum::List(words)) = &words.node else { return None };
    let words = words.items.iter().map(|it| match &it.node {
        Some(NodeEnum::String(word)) => Some(word.sval.clone()),
        _ => None,
    });
    let words: Vec<String> = words.collect::<Option<_>>()?;
    let (operator, namespace) = words.split_last()?;
    let namespace: String = namespace.iter().map(|it| format!("{}.", quoted(it))).collect();
    Some(format!("OPERATOR({namespace}{operator})"))
}

/// Whether a type spells values otherwise than they may be written: a number or a text is as it is.
pub(super) fn is_spelled(to: &TypeName) -> bool {
    let names = strings(&to.names);
    let plain = ["int2", "int4", "int8", "numeric", "float4", "float8", "text", "varchar", "bpchar", "citext"];
    !names.last().is_some_and(|it| plain.contains(&it.trim_matches('"')))
}

/// The column whose value an expression is, cast or as it stands.
pub(super) fn source(expression: &Node) -> Option<String> {
    match &expression.node {
        Some(NodeEnum::TypeCast(it)) => source(it.arg.as_deref()?),
        Some(NodeEnum::ColumnRef(_)) => text(expression),
        _ => None,
    }
}

pub(super) fn is_cast(expression: &str) -> bool {
    tree(expression).is_some_and(|it| source(&it).is_some())
}

/// The table and the condition of `SELECT NOT EXISTS (SELECT FROM table WHERE condition)`.
pub(super) fn none_of(check: &str) -> Option<(String, String)> {
    let Some(NodeEnum::SelectStmt(select)) = statement(check) else { return None };
    let Some(NodeEnum::ResTarget(target)) = select.target_list.into_iter().next()?.node else { return None };
    let Some(NodeEnum::BoolExpr(not)) = target.val?.node else { return None };
    let Some(NodeEnum::SubLink(exists)) = not.args.into_iter().next()?.node else { return None };
    let Some(NodeEnum::SelectStmt(rows)) = exists.subselect?.node else { return None };
    let table = rows.from_clause.first().and_then(range).and_then(named)?;
    Some((table, rows.where_clause.as_deref().and_then(text)?))
}

/// An expression as SQL.
pub(super) fn text(expression: &Node) -> Option<String> {
    let mut parsed = pg_query::parse("SELECT 1", 0).ok()?.protobuf;
    let statement = parsed.stmts.first_mut()?.stmt.as_mut()?;
    let Some(NodeEnum::SelectStmt(select)) = &mut statement.node else { return None };
    let Some(NodeEnum::ResTarget(target)) = &mut select.target_list.first_mut()?.node else { return None };
    target.val = Some(Box::new(expression.clone()));
    let sql = pg_query::deparse(&parsed, Default::default()).ok()?;
    Some(sql.strip_prefix("SELECT ")?.to_owned())
}

/// `column::type`.
pub(super) fn cast(column: &str, to: pg_query::protobuf::TypeName) -> Option<String> {
    let Some(NodeEnum::SelectStmt(select)) = statement(&format!("SELECT {column}::text")) else { return None };
    let Some(NodeEnum::ResTarget(target)) = select.target_list.into_iter().next()?.node else { return None };
    let Some(NodeEnum::TypeCast(mut cast)) = target.val?.node else { return None };
    cast.type_name = Some(to);
    text(&Node { node: Some(NodeEnum::TypeCast(cast)) })
}

pub(super) fn commands(alter: &AlterTableStmt, of: AlterTableType) -> impl Iterator<Item = (&str, Option<&Node>)> {
    alter.cmds.iter().filter_map(move |it| match &it.node {
        Some(NodeEnum::AlterTableCmd(it)) if it.subtype == of as i32 => Some((it.name.as_str(), it.def.as_deref())),
        _ => None,
    })
}

pub(super) fn column(definition: Option<&Node>) -> Option<&ColumnDef> {
    match definition?.node.as_ref()? {
        NodeEnum::ColumnDef(column) => Some(column),
        _ => None,
    }
}

pub(super) fn default_of(column: &ColumnDef) -> Option<String> {
    column.constraints.iter().find_map(|it| match &it.node {
        Some(NodeEnum::Constraint(it)) if it.contype == ConstrType::ConstrDefault as i32 => {
            it.raw_expr.as_deref().and_then(text)
        }
        _ => None,
    })
}

/// The expression of a column whose values are computed as it comes.
pub(super) fn generated(column: &ColumnDef) -> Option<String> {
    column.constraints.iter().find_map(|it| match &it.node {
        Some(NodeEnum::Constraint(it))
            if it.contype == ConstrType::ConstrGenerated as i32 && it.generated_kind != "v" =>
        {
            it.raw_expr.as_deref().and_then(text)
        }
        _ => None,
    })
}

/// Whether an expression may fail for some rows: it calculates, calls or casts.
pub(super) fn may_fail(expression: &str) -> bool {
    tree(expression).is_some_and(|it| calculates(&serde_json::to_value(it).unwrap_or_default()))
}

fn calculates(tree: &Value) -> bool {
    let last = |node: &Value, names: &str| {
        let names = node.get(names).and_then(Value::as_array);
        let word = names.and_then(|it| it.last()?.pointer("/node/String/sval")?.as_str());
        word.unwrap_or_default().to_owned()
    };
    match tree {
        Value::Array(items) => items.iter().any(calculates),
        Value::Object(fields) => {
            let of_its_own = fields.iter().any(|(kind, node)| match kind.as_str() {
                "FuncCall" => {
                    !["lower", "upper", "length", "btrim", "md5"].contains(&last(node, "funcname").as_str())
                }
                "AExpr" => !["=", "<>", "<", ">", "<=", ">=", "||"].contains(&last(node, "name").as_str()),
                "TypeCast" => node.pointer("/arg/node/AConst").is_none(),
                _ => false,
            });
            of_its_own || fields.values().any(calculates)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Table, column and expression of each assignment.
pub(super) fn assignments(update: &UpdateStmt) -> Vec<(String, String, String)> {
    let Some(table) = update.relation.as_ref().and_then(named) else { return vec![] };
    let targets = update.target_list.iter().filter_map(|it| match &it.node {
        Some(NodeEnum::ResTarget(target)) => Some((quoted(&target.name), target.val.as_deref().and_then(text)?)),
        _ => None,
    });
    // A row that is touched is given what its trigger looks up: what has to be there for that.
    let looked_up = |column: &str| update.where_clause.as_deref().and_then(|it| there(it, column));
    // Nothing given to all rows is what the way back touches them by.
    let touches = |value: &str| update.where_clause.is_none() && value == "NULL";
    let value = |column: &str, value: String| match value == column || touches(&value) {
        true => looked_up(column).unwrap_or_else(|| column.to_owned()),
        false => value,
    };
    targets.map(|(column, it)| (table.clone(), column.clone(), value(&column, it))).collect()
}

/// Whether this is `column IS NULL`.
fn is_null_of(condition: &Node, column: &str) -> bool {
    match &condition.node {
        Some(NodeEnum::NullTest(test)) if test.nulltesttype == NullTestType::IsNull as i32 => {
            test.arg.as_deref().and_then(text).as_deref() == Some(column)
        }
        _ => false,
    }
}

/// Whether the condition asks for `column IS NULL`, by itself or beside other things.
pub(super) fn asks_for_null(condition: &Node, column: &str) -> bool {
    match &condition.node {
        Some(NodeEnum::BoolExpr(several)) => several.args.iter().any(|it| asks_for_null(it, column)),
        _ => is_null_of(condition, column),
    }
}

/// What has to be true beside `column IS NULL` for a row to be changed; nothing where there is nothing else.
pub(super) fn beside(condition: &Node, column: &str) -> Option<String> {
    let Some(NodeEnum::BoolExpr(several)) = &condition.node else { return None };
    let is_its_null = |it: &Node| is_null_of(it, column);
    match BoolExprType::try_from(several.boolop) {
        Ok(BoolExprType::OrExpr) => several.args.iter().find_map(|it| beside(it, column)),
        Ok(BoolExprType::AndExpr) if several.args.iter().any(is_its_null) => {
            let others: Option<Vec<String>> = several.args.iter().filter(|it| !is_its_null(it)).map(text).collect();
            Some(others?.join(" AND "))
        }
        _ => None,
    }
}

/// What must be something beside `column IS NULL`: `x` of `column IS NULL AND x IS NOT NULL`.
pub(super) fn there(condition: &Node, column: &str) -> Option<String> {
    let Some(NodeEnum::NullTest(test)) = &tree(&beside(condition, column)?)?.node else { return None };
    (test.nulltesttype == NullTestType::IsNotNull as i32).then(|| test.arg.as_deref().and_then(text)).flatten()
}

/// The columns of `(SELECT … AS a …) IS NULL OR (SELECT … AS b …) IS NULL`, each with its expression.
pub(super) fn looked_up(condition: &Node) -> Vec<(String, String)> {
    let one = |test: &NullTest| {
        let arg = test.arg.as_deref()?;
        let Some(NodeEnum::SubLink(link)) = &arg.node else { return None };
        let Some(NodeEnum::SelectStmt(select)) = &link.subselect.as_deref()?.node else { return None };
        let Some(NodeEnum::ResTarget(target)) = &select.target_list.first()?.node else { return None };
        (!target.name.is_empty()).then(|| Some((quoted(&target.name), text(arg)?))).flatten()
    };
    match &condition.node {
        Some(NodeEnum::BoolExpr(several)) => several.args.iter().flat_map(looked_up).collect(),
        Some(NodeEnum::NullTest(test)) => one(test).into_iter().collect(),
        _ => vec![],
    }
}

/// An expression as a tree.
pub(super) fn tree(expression: &str) -> Option<Node> {
    let Some(NodeEnum::SelectStmt(select)) = statement(&format!("SELECT {expression}")) else { return None };
    let Some(NodeEnum::ResTarget(target)) = select.target_list.into_iter().next()?.node else { return None };
    target.val.map(|it| *it)
}

/// Whether an expression is the name of a column alone.
pub(super) fn is_column(expression: &str) -> bool {
    let Some(NodeEnum::SelectStmt(select)) = statement(&format!("SELECT {expression}")) else { return false };
    let [target] = select.target_list.as_slice() else { return false };
    let Some(NodeEnum::ResTarget(target)) = &target.node else { return false };
    matches!(target.val.as_deref().and_then(|it| it.node.as_ref()), Some(NodeEnum::ColumnRef(_)))
}

pub(super) fn range(node: &Node) -> Option<&RangeVar> {
    match node.node.as_ref()? {
        NodeEnum::RangeVar(it) => Some(it),
        _ => None,
    }
}

/// A qualified name; every name in a step is.
pub(super) fn named(range: &RangeVar) -> Option<String> {
    let (namespace, name) = (quoted(&range.schemaname), quoted(&range.relname));
    (!range.schemaname.is_empty()).then(|| format!("{namespace}.{name}"))
}

pub(super) fn quoted(name: &str) -> String {
    Name::from(name).to_string()
}

pub(super) fn strings(nodes: &[Node]) -> Vec<String> {
    let words = nodes.iter().filter_map(|it| match &it.node {
        Some(NodeEnum::String(word)) => Some(quoted(&word.sval)),
        _ => None,
    });
    words.collect()
}
