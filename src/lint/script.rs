//! A file of SQL that is run as it stands: its statements, what is accepted beside them, and what of it is not tried.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableType, DropBehavior, Node, ObjectType, TransactionStmtKind};

use crate::diagnostic::{File, Report};
use crate::name::Name;
use crate::plan::hazard::{Area, Code};
use crate::source::split::{self, Comment, Piece};
use crate::source::{Mention, allowed, mentions, syntax};

/// The file with its statements.
#[derive(Debug)]
pub struct Script {
    pub file: Arc<File>,
    pub statements: Vec<Statement>,
    /// What is wrong with the file itself, and what of it is not looked at.
    pub reports: Vec<Report>,
}

#[derive(Debug)]
pub struct Statement {
    pub span: Range<usize>,
    pub sql: String,
    /// As far as the grammar knows it; the server judges.
    pub node: Option<NodeEnum>,
    allows: Vec<Allow>,
}

/// `-- tenantry: allow CODE because REASON` beside a statement.
#[derive(Debug)]
struct Allow {
    code: Code,
    because: String,
    span: Range<usize>,
}

/// What a statement does to the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    Begin,
    /// COMMIT or ROLLBACK; `chain`: the next one begins with it.
    End {
        chain: bool,
    },
    /// SAVEPOINT and what goes back to it.
    Within,
}

/// Reads a file; whatever is wrong with it is in its reports.
pub fn read(file: &Arc<File>) -> Script {
    let (pieces, comments) = split::split(&file.text);
    let mut script = Script { file: Arc::clone(file), statements: vec![], reports: vec![] };
    for piece in pieces {
        match piece {
            Piece::Statement(span) => script.statement(span),
            Piece::Meta(span) => script.reports.push(
                Report::warning("lint::psql", "this is for psql, and is not looked at")
                    .at(file, span, "not SQL")
                    .help("what it includes or sets is not known here; lint the files that it includes"),
            ),
            Piece::CopyData(_) => {}
            Piece::Unended(span, what) => script.reports.push(
                Report::error("lint::syntax", format!("{what} that never ends")).at(file, span, "begins here"),
            ),
        }
    }
    for comment in &comments {
        script.directive(comment);
    }
    script
}

impl Script {
    fn statement(&mut self, span: Range<usize>) {
        let sql = self.file.text[span.clone()].to_owned();
        let node = syntax::parse(&sql).ok().and_then(|nodes| nodes.into_iter().next());
        self.statements.push(Statement { span, sql, node, allows: vec![] });
    }

    /// Gives a directive to the statement that it stands in or behind on a line, else to the one that follows.
    fn directive(&mut self, comment: &Comment) {
        let text = self.file.text[comment.text.clone()].trim();
        let allow = match allowed(text) {
            None => return,
            Some(Ok(allow)) => allow,
            Some(Err((message, help))) => {
                let report = Report::error("lint::directive", message).help(help);
                self.reports.push(report.at(&self.file, comment.span.clone(), "this directive"));
                return;
            }
        };
        let text = &self.file.text;
        let line = text[..comment.span.start].rfind('\n').map_or(0, |newline| newline + 1);
        let alone = text[line..comment.span.start].trim().is_empty();
        let holds = |it: &Statement| it.span.start < comment.span.start && comment.span.start < it.span.end;
        let beside = |it: &Statement| !alone && it.span.end > line && it.span.start < comment.span.start;
        let statements = &mut self.statements;
        let at = (statements.iter().position(holds))
            .or_else(|| statements.iter().rposition(beside))
            .or_else(|| statements.iter().position(|it| it.span.start > comment.span.start));
        match at {
            Some(at) => {
                let (code, because) = allow;
                statements[at].allows.push(Allow { code, because, span: comment.span.clone() });
            }
            None => {
                let report = Report::error("lint::directive", "this directive stands beside no statement");
                self.reports.push(report.at(&self.file, comment.span.clone(), "without effect"));
            }
        }
    }

    /// Directives that accept nothing of what was found.
    pub fn unused(&self, found: &[super::Finding]) -> Vec<Report> {
        let statements = self.statements.iter().enumerate();
        let unused = statements.flat_map(|(at, statement)| {
            let codes: Vec<Code> = found.iter().filter(|it| it.statement == at).map(|it| it.hazard.code).collect();
            // Whether it is of how something is made, the schema at the end will tell.
            let is_design = |allow: &Allow| allow.code.about().area == Area::Design;
            statement.allows.iter().filter(move |allow| !codes.contains(&allow.code) && !is_design(allow))
        });
        unused
            .map(|allow| {
                let message = format!("nothing is found here that {} accepts", allow.code);
                Report::warning("lint::directive", message).at(&self.file, allow.span.clone(), "without effect")
            })
            .collect()
    }
}

impl Statement {
    /// The reason for which a hazard of this statement is accepted.
    pub fn accepts(&self, code: Code) -> Option<String> {
        let allow = self.allows.iter().find(|it| it.code == code)?;
        Some(format!("declared, because {}", allow.because))
    }

    pub fn control(&self) -> Option<Control> {
        let Some(NodeEnum::TransactionStmt(it)) = &self.node else { return None };
        Some(match it.kind() {
            TransactionStmtKind::TransStmtBegin | TransactionStmtKind::TransStmtStart => Control::Begin,
            TransactionStmtKind::TransStmtCommit | TransactionStmtKind::TransStmtRollback => {
                Control::End { chain: it.chain }
            }
            _ => Control::Within,
        })
    }

    /// Why a statement is not tried: it reaches beyond the database.
    pub fn beyond(&self) -> Option<&'static str> {
        const WHOLE: &str = "it is about the whole server";
        Some(match self.node.as_ref()? {
            NodeEnum::CreatedbStmt(_) | NodeEnum::DropdbStmt(_) | NodeEnum::AlterDatabaseStmt(_) => {
                "it is about databases"
            }
            NodeEnum::AlterDatabaseSetStmt(_) => "it is about databases",
            NodeEnum::AlterSystemStmt(_)
            | NodeEnum::CreateTableSpaceStmt(_)
            | NodeEnum::DropTableSpaceStmt(_)
            | NodeEnum::AlterTableSpaceOptionsStmt(_)
            | NodeEnum::CheckPointStmt(_)
            | NodeEnum::LoadStmt(_) => WHOLE,
            NodeEnum::CreateRoleStmt(_)
            | NodeEnum::AlterRoleStmt(_)
            | NodeEnum::AlterRoleSetStmt(_)
            | NodeEnum::DropRoleStmt(_)
            | NodeEnum::GrantRoleStmt(_)
            | NodeEnum::DropOwnedStmt(_)
            | NodeEnum::ReassignOwnedStmt(_) => "it is about roles, which belong to the whole server",
            NodeEnum::CopyStmt(it) if it.is_program || !it.filename.is_empty() => "it reads or writes files",
            NodeEnum::CopyStmt(_) => "its rows are not at hand",
            NodeEnum::CreateSubscriptionStmt(_) | NodeEnum::AlterSubscriptionStmt(_) => {
                "it would connect to another server"
            }
            NodeEnum::TransactionStmt(it) => match it.kind() {
                TransactionStmtKind::TransStmtPrepare
                | TransactionStmtKind::TransStmtCommitPrepared
                | TransactionStmtKind::TransStmtRollbackPrepared => "prepared transactions outlive their session",
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Whether it leaves the schema as it is.
    pub fn is_query(&self) -> bool {
        matches!(
            self.node,
            Some(
                NodeEnum::InsertStmt(_)
                    | NodeEnum::UpdateStmt(_)
                    | NodeEnum::DeleteStmt(_)
                    | NodeEnum::MergeStmt(_)
                    | NodeEnum::VariableSetStmt(_)
                    | NodeEnum::VariableShowStmt(_)
                    | NodeEnum::LockStmt(_)
                    | NodeEnum::VacuumStmt(_)
                    | NodeEnum::ReindexStmt(_)
                    | NodeEnum::TruncateStmt(_)
            )
        )
    }

    /// The verb of a statement that changes rows.
    pub fn writes_rows(&self) -> Option<&'static str> {
        Some(match self.node.as_ref()? {
            NodeEnum::InsertStmt(_) => "INSERT",
            NodeEnum::UpdateStmt(_) => "UPDATE",
            NodeEnum::DeleteStmt(_) => "DELETE",
            NodeEnum::MergeStmt(_) => "MERGE",
            _ => return None,
        })
    }

    /// Whether it leaves the table as it is, and writes it anew.
    pub fn is_maintenance(&self) -> bool {
        let node = self.node.as_ref();
        node.is_some_and(|it| {
            matches!(it, NodeEnum::VacuumStmt(_) | NodeEnum::ClusterStmt(_) | NodeEnum::RefreshMatViewStmt(_))
        })
    }

    pub fn is_truncate(&self) -> bool {
        matches!(self.node, Some(NodeEnum::TruncateStmt(_)))
    }

    /// Whether it makes, moves or drops an index as such.
    pub fn is_about_index(&self) -> bool {
        match &self.node {
            Some(NodeEnum::IndexStmt(_) | NodeEnum::ReindexStmt(_)) => true,
            Some(NodeEnum::DropStmt(it)) => it.remove_type() == ObjectType::ObjectIndex,
            _ => false,
        }
    }

    pub fn alters(&self, what: &[AlterTableType]) -> bool {
        let Some(NodeEnum::AlterTableStmt(it)) = &self.node else { return false };
        it.cmds.iter().any(|command| match &command.node {
            Some(NodeEnum::AlterTableCmd(command)) => what.contains(&command.subtype()),
            _ => false,
        })
    }

    /// Whether something has another name, or stands in another namespace, afterwards.
    pub fn is_rename(&self) -> bool {
        match &self.node {
            Some(NodeEnum::RenameStmt(_) | NodeEnum::AlterObjectSchemaStmt(_)) => true,
            Some(NodeEnum::AlterEnumStmt(it)) => !it.old_val.is_empty(),
            _ => false,
        }
    }

    /// Whether code speaks of what it renames.
    pub fn is_spoken_of(&self) -> bool {
        !matches!(
            &self.node,
            Some(NodeEnum::RenameStmt(it)) if matches!(
                it.rename_type(),
                ObjectType::ObjectIndex
                    | ObjectType::ObjectTabconstraint
                    | ObjectType::ObjectDomconstraint
                    | ObjectType::ObjectTrigger
                    | ObjectType::ObjectPolicy
                    | ObjectType::ObjectRule
                    | ObjectType::ObjectStatisticExt
            )
        )
    }

    /// The names of what a statement with CASCADE drops itself.
    pub fn cascades(&self) -> Option<BTreeSet<String>> {
        let is_cascade = |behavior: DropBehavior| behavior == DropBehavior::DropCascade;
        match self.node.as_ref()? {
            NodeEnum::DropStmt(it) if is_cascade(it.behavior()) => Some(super::last_names(&it.objects)),
            NodeEnum::TruncateStmt(it) if is_cascade(it.behavior()) => Some(super::last_names(&it.relations)),
            NodeEnum::AlterTableStmt(it) => {
                let commands = it.cmds.iter().filter_map(|command| match &command.node {
                    Some(NodeEnum::AlterTableCmd(command)) if is_cascade(command.behavior()) => {
                        Some(command.name.clone())
                    }
                    _ => None,
                });
                let named: BTreeSet<String> = commands.collect();
                (!named.is_empty()).then_some(named)
            }
            _ => None,
        }
    }
}

/// The last part of a name, however the tree has it.
pub(super) fn last_name(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::String(it) => Some(it.sval.clone()),
        NodeEnum::List(it) => last_name(it.items.last()?),
        NodeEnum::TypeName(it) => last_name(it.names.last()?),
        NodeEnum::ObjectWithArgs(it) => last_name(it.objname.last()?),
        NodeEnum::RangeVar(it) => Some(it.relname.clone()),
        _ => None,
    }
}

/// The relations that a statement names, each with its namespace where that is written.
pub fn relations(statement: &Statement) -> Vec<(Option<Name>, Name)> {
    let Some(node) = &statement.node else { return vec![] };
    let mut found = vec![];
    for mention in named(node) {
        if let [rest @ .., name] = mention.as_slice() {
            found.push((rest.last().map(|it| Name::from(it.as_str())), Name::from(name.as_str())));
        }
    }
    // Those of DROP are no relations in the tree.
    if let NodeEnum::DropStmt(it) = node {
        for object in &it.objects {
            if let Some(NodeEnum::List(list)) = &object.node {
                let parts: Vec<String> = list.items.iter().filter_map(last_name).collect();
                if let [rest @ .., name] = parts.as_slice() {
                    found.push((rest.last().map(|it| Name::from(it.as_str())), Name::from(name.as_str())));
                }
            }
        }
    }
    found
}

fn named(node: &NodeEnum) -> Vec<Vec<String>> {
    let relations = mentions(node).into_iter().filter_map(|it| match it {
        Mention::Relation { parts, .. } => Some(parts),
        _ => None,
    });
    relations.collect()
}
