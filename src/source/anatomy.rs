//! What a statement says of tables, keys and views, each with the bytes where it says so: what tenancy looks at, and
//! writes into. What the server makes of it is not known here.

use std::ops::Range;

use pg_query::NodeEnum;
use pg_query::protobuf::{self as pg, AlterTableType, ConstrType, Node, PublicationObjSpecType};

use super::allow::constant;
use super::names::{self, Names};
use super::sql::{commands, elements, path, range_of, tokens};
use super::{Declaration, Span, Statement, Text, syntax};
use crate::diagnostic::Report;
use crate::name::{Name, QName};

/// A statement taken apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Anatomy {
    Table(Table),
    Alter(Alter),
    Index(Index),
    View(View),
    Policy(Policy),
    Publication(Vec<Published>),
}

/// CREATE TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: QName,
    pub columns: Vec<Column>,
    pub constraints: Vec<Constraint>,
    /// PARTITION OF.
    pub whole: Option<QName>,
    /// INHERITS and LIKE: columns come from there too.
    pub parents: Vec<QName>,
    /// The elements in the parentheses, in order.
    pub elements: Vec<Range<usize>>,
    /// Where the parentheses close, if there are any.
    pub close: Option<usize>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: Name,
    /// As written.
    pub data_type: String,
    /// The type in one form, where `serial` is what it makes.
    pub kind: String,
    pub not_null: bool,
    pub has_default: bool,
    /// Its values come from a sequence or at random, so they mean nothing outside.
    pub generated: bool,
    /// A sequence of its own, by serial.
    pub serial: bool,
    /// A sequence of its own, by identity, under the name that the server gives it.
    pub identity: bool,
    pub at: Range<usize>,
}

/// ALTER TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct Alter {
    pub table: QName,
    pub constraints: Vec<Constraint>,
    pub enables_row_security: bool,
    pub forces_row_security: bool,
    /// ATTACH PARTITION.
    pub attaches: Option<QName>,
    /// Columns that become NOT NULL, get a default or an identity.
    pub not_null: Vec<Name>,
    pub defaults: Vec<Name>,
}

/// A constraint of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    pub name: Option<Name>,
    /// The column that it stands beside, where it is no element of its own.
    pub column: Option<Name>,
    pub rule: Rule,
    /// With its name.
    pub at: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    Unique(Unique),
    Foreign(Foreign),
    /// The place after the parenthesis that opens its elements, and the columns among them.
    Exclusion {
        open: usize,
        columns: Vec<Name>,
    },
}

/// PRIMARY KEY or UNIQUE.
#[derive(Debug, Clone, PartialEq)]
pub struct Unique {
    pub primary: bool,
    pub columns: Vec<Name>,
    /// What stands before the columns, without a name: `UNIQUE NULLS NOT DISTINCT`.
    pub head: &'static str,
    /// The place of the first column, where the columns are written.
    pub open: Option<usize>,
    /// What follows: INCLUDE, WITH, DEFERRABLE.
    pub tail: Range<usize>,
}

/// REFERENCES.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    pub columns: Vec<Name>,
    pub to: QName,
    /// None are written where the primary key is meant.
    pub to_columns: Vec<Name>,
    pub match_full: bool,
    /// The letters of `pg_constraint.confdeltype`.
    pub on_delete: char,
    pub on_update: char,
    pub set_columns: Vec<Name>,
    /// PERIOD.
    pub period: bool,
    pub deferrable: bool,
    pub deferred: bool,
    pub enforced: bool,
    pub validated: bool,
}

/// CREATE INDEX.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    pub name: Option<Name>,
    pub table: QName,
    pub unique: bool,
    pub partial: bool,
    pub btree: bool,
    /// The columns in order; none for an expression.
    pub columns: Vec<Option<Name>>,
    /// The place of the first key.
    pub open: usize,
}

/// CREATE VIEW.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub name: QName,
    pub invoker: bool,
    /// Where `security_invoker` would be written: among its options, or where these would be.
    pub options: Range<usize>,
    pub has_options: bool,
    pub materialized: bool,
}

/// CREATE POLICY.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub name: Name,
    pub table: QName,
    pub permissive: bool,
    /// `all`, `select`, `insert`, `update` or `delete`.
    pub command: String,
}

/// A table of a publication.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    pub table: QName,
    /// The columns and the place of the first, where not all are published.
    pub columns: Option<(Vec<Name>, usize)>,
}

/// Takes a statement apart, if it is of a kind that tenancy has to do with.
pub fn anatomy(statement: &Statement) -> Option<Anatomy> {
    if !statement.understood {
        return None;
    }
    let node = syntax::parse(&statement.sql).ok()?.into_iter().next()?;
    let words = tokens(&statement.sql).iter().map(range_of).collect();
    let look = Look { sql: &statement.sql, words, path: path(&statement.search_path) };
    Some(match &node {
        NodeEnum::CreateStmt(create) => Anatomy::Table(look.table(create)?),
        NodeEnum::AlterTableStmt(alter) => Anatomy::Alter(look.alter(alter)?),
        NodeEnum::IndexStmt(index) => Anatomy::Index(look.index(index)?),
        NodeEnum::ViewStmt(view) => Anatomy::View(look.view(view)?),
        NodeEnum::CreateTableAsStmt(made) => {
            let name = look.qname(made.into.as_ref()?.rel.as_ref()?);
            Anatomy::View(View { name, invoker: false, options: 0..0, has_options: false, materialized: true })
        }
        NodeEnum::CreatePolicyStmt(policy) => Anatomy::Policy(Policy {
            name: Name::from(policy.policy_name.as_str()),
            table: look.qname(policy.table.as_ref()?),
            permissive: policy.permissive,
            command: policy.cmd_name.clone(),
        }),
        NodeEnum::CreatePublicationStmt(publication) => {
            Anatomy::Publication(look.published(&publication.pubobjects))
        }
        _ => return None,
    })
}

struct Look<'a> {
    sql: &'a str,
    /// The words and signs of the text.
    words: Vec<Range<usize>>,
    path: Vec<String>,
}

impl Look<'_> {
    fn qname(&self, relation: &pg::RangeVar) -> QName {
        let namespace = match relation.schemaname.as_str() {
            "" => self.path.first().map_or("public", String::as_str),
            namespace => namespace,
        };
        QName::new(namespace, relation.relname.as_str())
    }

    fn table(&self, create: &pg::CreateStmt) -> Option<Table> {
        let name = self.qname(create.relation.as_ref()?);
        let ranges = &self.words;
        let has_list = !create.table_elts.is_empty() || create.partbound.is_none() && create.of_typename.is_none();
        let elements = if has_list { elements(self.sql, ranges) } else { vec![] };
        let after = elements.last().map_or(0, |last| last.end);
        // Without elements the parentheses are the first there are.
        let close = if has_list {
            ranges.iter().find(|it| it.start >= after && &self.sql[(*it).clone()] == ")").map(|it| it.start)
        } else {
            None
        };
        let element = |location: i32| elements.iter().find(|it| it.contains(&(location.max(0) as usize))).cloned();
        let (mut columns, mut constraints, mut parents) = (vec![], vec![], vec![]);
        for node in &create.table_elts {
            match &node.node {
                Some(NodeEnum::ColumnDef(column)) => {
                    let at = element(column.location)?;
                    constraints.extend(self.inline(column, &at));
                    columns.push(self.column(column, at)?);
                }
                Some(NodeEnum::Constraint(constraint)) => {
                    let at = element(constraint.location)?;
                    constraints.extend(self.constraint(constraint, None, at));
                }
                Some(NodeEnum::TableLikeClause(like)) => {
                    parents.extend(like.relation.as_ref().map(|it| self.qname(it)));
                }
                _ => {}
            }
        }
        let inherited = create.inh_relations.iter().filter_map(|node| match &node.node {
            Some(NodeEnum::RangeVar(relation)) => Some(self.qname(relation)),
            _ => None,
        });
        let mut inherited: Vec<QName> = inherited.collect();
        let whole = if create.partbound.is_some() { inherited.pop() } else { None };
        parents.extend(inherited);
        Some(Table { name, columns, constraints, whole, parents, elements, close })
    }

    fn column(&self, column: &pg::ColumnDef, at: Range<usize>) -> Option<Column> {
        let kind = column.type_name.as_ref()?;
        let places = column.constraints.iter().filter_map(as_constraint).map(|it| it.location);
        let places = places.chain(column.coll_clause.as_ref().map(|it| it.location));
        let start = kind.location.max(0) as usize;
        let end = places.map(|it| it.max(0) as usize).filter(|it| *it > start).min().unwrap_or(at.end);
        let constraints: Vec<&pg::Constraint> = column.constraints.iter().filter_map(as_constraint).collect();
        let has = |kind: ConstrType| constraints.iter().any(|it| it.contype == kind as i32);
        let (kind, serial) = canonical(kind);
        let random = constraints.iter().any(|it| {
            it.contype == ConstrType::ConstrDefault as i32 && it.raw_expr.as_deref().is_some_and(is_generator)
        });
        Some(Column {
            name: Name::from(column.colname.as_str()),
            data_type: self.sql[start..end].trim_end().to_owned(),
            kind,
            not_null: has(ConstrType::ConstrNotnull) || has(ConstrType::ConstrPrimary) || serial,
            has_default: has(ConstrType::ConstrDefault)
                || has(ConstrType::ConstrIdentity)
                || has(ConstrType::ConstrGenerated)
                || serial,
            generated: serial || has(ConstrType::ConstrIdentity) || random,
            serial,
            identity: constraints
                .iter()
                .any(|it| it.contype == ConstrType::ConstrIdentity as i32 && !names_sequence(it)),
            at,
        })
    }

    /// The constraints in the line of a column, with the attributes that follow each.
    fn inline(&self, column: &pg::ColumnDef, element: &Range<usize>) -> Vec<Constraint> {
        let all: Vec<&pg::Constraint> = column.constraints.iter().filter_map(as_constraint).collect();
        let collation = column.coll_clause.as_ref().map(|it| it.location.max(0) as usize);
        let mut found = vec![];
        for (n, constraint) in all.iter().enumerate() {
            if constraint.contype >= ConstrType::ConstrAttrDeferrable as i32 {
                continue;
            }
            let start = constraint.location.max(0) as usize;
            let attributes: Vec<&&pg::Constraint> = all[n + 1..]
                .iter()
                .take_while(|it| it.contype >= ConstrType::ConstrAttrDeferrable as i32)
                .collect();
            let next = all.get(n + 1 + attributes.len()).map(|it| it.location.max(0) as usize);
            let end = next.into_iter().chain(collation.filter(|it| *it > start)).min().unwrap_or(element.end);
            let end = self.sql[..end].trim_end().len();
            // A comment may stand before what follows; the constraint ends with its last word.
            let end = self.words.iter().rfind(|it| it.end <= end).map_or(end, |it| it.end);
            let mut whole = (*constraint).clone();
            for attribute in attributes {
                match ConstrType::try_from(attribute.contype) {
                    Ok(ConstrType::ConstrAttrDeferrable) => whole.deferrable = true,
                    Ok(ConstrType::ConstrAttrDeferred) => (whole.deferrable, whole.initdeferred) = (true, true),
                    Ok(ConstrType::ConstrAttrNotEnforced) => whole.is_enforced = false,
                    _ => {}
                }
            }
            let name = Name::from(column.colname.as_str());
            found.extend(self.constraint(&whole, Some(name), start..end));
        }
        found
    }

    fn constraint(
        &self,
        constraint: &pg::Constraint,
        column: Option<Name>,
        at: Range<usize>,
    ) -> Option<Constraint> {
        let own = |listed: Vec<Name>| if listed.is_empty() { column.iter().cloned().collect() } else { listed };
        let rule = match ConstrType::try_from(constraint.contype).ok()? {
            kind @ (ConstrType::ConstrPrimary | ConstrType::ConstrUnique) => {
                if !constraint.indexname.is_empty() {
                    return None;
                }
                let primary = kind == ConstrType::ConstrPrimary;
                let head = match (primary, constraint.nulls_not_distinct) {
                    (true, _) => "PRIMARY KEY",
                    (false, true) => "UNIQUE NULLS NOT DISTINCT",
                    (false, false) => "UNIQUE",
                };
                let words = self.words(&at);
                let begins = |word: &Range<usize>| {
                    let word = &self.sql[word.clone()];
                    word.eq_ignore_ascii_case("unique") || word.eq_ignore_ascii_case("primary")
                };
                // A constraint may be called `unique` only in quotes, so the first such word is the keyword.
                let first = words.iter().position(begins)?;
                let mut next = first + 1;
                let is = |at: usize, text: &str| {
                    words.get(at).is_some_and(|it| self.sql[it.clone()].eq_ignore_ascii_case(text))
                };
                for word in ["key", "nulls", "not", "distinct"] {
                    if is(next, word) {
                        next += 1;
                    }
                }
                let (mut open, mut tail) = (None, words.get(next).map_or(at.end, |it| it.start)..at.end);
                if column.is_none() {
                    open = words.get(next + 1).map(|it| it.start);
                    let close = words[next..].iter().find(|it| &self.sql[(*it).clone()] == ")")?;
                    tail = close.end..at.end;
                }
                Rule::Unique(Unique { primary, columns: own(plain(&constraint.keys)), head, open, tail })
            }
            ConstrType::ConstrForeign => {
                let letter = |text: &str| text.chars().next().unwrap_or('a');
                Rule::Foreign(Foreign {
                    columns: own(plain(&constraint.fk_attrs)),
                    to: self.qname(constraint.pktable.as_ref()?),
                    to_columns: plain(&constraint.pk_attrs),
                    match_full: constraint.fk_matchtype == "f",
                    on_delete: letter(&constraint.fk_del_action),
                    on_update: letter(&constraint.fk_upd_action),
                    set_columns: plain(&constraint.fk_del_set_cols),
                    period: constraint.fk_with_period || constraint.pk_with_period,
                    deferrable: constraint.deferrable,
                    deferred: constraint.initdeferred,
                    enforced: constraint.is_enforced || column.is_some(),
                    validated: !constraint.skip_validation,
                })
            }
            ConstrType::ConstrExclusion => {
                let words = self.words(&at);
                let open = words.iter().position(|it| &self.sql[it.clone()] == "(")?;
                let columns = constraint.exclusions.iter().filter_map(|node| match &node.node {
                    Some(NodeEnum::List(pair)) => match pair.items.first()?.node.as_ref()? {
                        NodeEnum::IndexElem(element) if !element.name.is_empty() => {
                            Some(Name::from(element.name.as_str()))
                        }
                        _ => None,
                    },
                    _ => None,
                });
                Rule::Exclusion { open: words.get(open + 1)?.start, columns: columns.collect() }
            }
            _ => return None,
        };
        let name = (!constraint.conname.is_empty()).then(|| Name::from(constraint.conname.as_str()));
        Some(Constraint { name, column, rule, at })
    }

    /// The words and signs within a part of the text.
    fn words(&self, at: &Range<usize>) -> Vec<Range<usize>> {
        self.words.iter().filter(|it| it.start >= at.start && it.end <= at.end).cloned().collect()
    }

    fn alter(&self, alter: &pg::AlterTableStmt) -> Option<Alter> {
        let relation = alter.relation.as_ref()?;
        let mut found = Alter {
            table: self.qname(relation),
            constraints: vec![],
            enables_row_security: false,
            forces_row_security: false,
            attaches: None,
            not_null: vec![],
            defaults: vec![],
        };
        let ranges = commands(self.sql, relation.location.max(0) as usize);
        for (n, node) in alter.cmds.iter().enumerate() {
            let Some(NodeEnum::AlterTableCmd(command)) = &node.node else { continue };
            let def = command.def.as_deref();
            match AlterTableType::try_from(command.subtype).unwrap_or(AlterTableType::Undefined) {
                AlterTableType::AtAddConstraint => {
                    if let (Some(constraint), Some(range)) = (def.and_then(as_constraint), ranges.get(n)) {
                        let at = constraint.location.max(0) as usize..range.end;
                        found.constraints.extend(self.constraint(constraint, None, at));
                    }
                }
                AlterTableType::AtEnableRowSecurity => found.enables_row_security = true,
                AlterTableType::AtForceRowSecurity => found.forces_row_security = true,
                AlterTableType::AtAttachPartition => {
                    if let Some(NodeEnum::PartitionCmd(it)) = def.and_then(|it| it.node.as_ref()) {
                        found.attaches = it.name.as_ref().map(|it| self.qname(it));
                    }
                }
                AlterTableType::AtSetNotNull => found.not_null.push(Name::from(command.name.as_str())),
                AlterTableType::AtColumnDefault if def.is_some() => {
                    found.defaults.push(Name::from(command.name.as_str()));
                }
                AlterTableType::AtAddIdentity => found.defaults.push(Name::from(command.name.as_str())),
                _ => {}
            }
        }
        Some(found)
    }

    fn index(&self, index: &pg::IndexStmt) -> Option<Index> {
        let relation = index.relation.as_ref()?;
        let after = relation.location.max(0) as usize;
        let words: Vec<Range<usize>> = self.words.iter().filter(|it| it.start >= after).cloned().collect();
        let open = words.iter().position(|it| &self.sql[it.clone()] == "(")?;
        let column = |node: &Node| match &node.node {
            Some(NodeEnum::IndexElem(element)) if !element.name.is_empty() => {
                Some(Name::from(element.name.as_str()))
            }
            _ => None,
        };
        Some(Index {
            name: (!index.idxname.is_empty()).then(|| Name::from(index.idxname.as_str())),
            table: self.qname(relation),
            unique: index.unique,
            partial: index.where_clause.is_some(),
            btree: index.access_method == "btree",
            columns: index.index_params.iter().map(column).collect(),
            open: words.get(open + 1)?.start,
        })
    }

    fn view(&self, view: &pg::ViewStmt) -> Option<View> {
        let relation = view.view.as_ref()?;
        let after = relation.location.max(0) as usize;
        let words: Vec<Range<usize>> = self.words.iter().filter(|it| it.start >= after).cloned().collect();
        let invoker = view.options.iter().any(|node| match &node.node {
            Some(NodeEnum::DefElem(option)) if option.defname == "security_invoker" => {
                let word = option.arg.as_deref().map(constant);
                word.is_none_or(|word| matches!(word.to_lowercase().as_str(), "true" | "on" | "yes" | "1" | ""))
            }
            _ => false,
        });
        let mut depth = 0_usize;
        let mut options = None;
        for word in &words {
            match &self.sql[word.clone()] {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                text if depth == 0 && text.eq_ignore_ascii_case("as") => {
                    options.get_or_insert(word.start..word.start);
                    break;
                }
                text if depth == 0 && text.eq_ignore_ascii_case("with") => {
                    let at = words.iter().find(|it| it.start > word.start && &self.sql[(*it).clone()] == "(")?;
                    options = Some(at.end..at.end);
                }
                _ => {}
            }
        }
        Some(View {
            name: self.qname(relation),
            invoker,
            options: options?,
            has_options: !view.options.is_empty(),
            materialized: false,
        })
    }

    fn published(&self, objects: &[Node]) -> Vec<Published> {
        let table = |node: &Node| match &node.node {
            Some(NodeEnum::PublicationObjSpec(object)) => {
                let is_table = matches!(
                    PublicationObjSpecType::try_from(object.pubobjtype),
                    Ok(PublicationObjSpecType::PublicationobjTable
                        | PublicationObjSpecType::PublicationobjContinuation)
                );
                let published = object.pubtable.as_deref().filter(|_| is_table)?;
                let relation = published.relation.as_ref()?;
                let after = relation.location.max(0) as usize;
                let columns = plain(&published.columns);
                let words: Vec<Range<usize>> = self.words.iter().filter(|it| it.start >= after).cloned().collect();
                let open = words.iter().position(|it| &self.sql[it.clone()] == "(");
                let first = open.and_then(|open| words.get(open + 1)).map(|it| it.start);
                Some(Published {
                    table: self.qname(relation),
                    columns: first.filter(|_| !columns.is_empty()).map(|first| (columns, first)),
                })
            }
            _ => None,
        };
        objects.iter().filter_map(table).collect()
    }
}

fn as_constraint(node: &Node) -> Option<&pg::Constraint> {
    match &node.node {
        Some(NodeEnum::Constraint(constraint)) => Some(constraint),
        _ => None,
    }
}

fn plain(nodes: &[Node]) -> Vec<Name> {
    nodes.iter().map(|node| Name::from(constant(node))).collect()
}

/// Whether an identity says what its sequence is called.
fn names_sequence(identity: &pg::Constraint) -> bool {
    let options = identity.options.iter().filter_map(|it| it.node.as_ref());
    options.into_iter().any(|it| matches!(it, NodeEnum::DefElem(it) if it.defname == "sequence_name"))
}

/// A type in one form, and whether it was a serial one.
fn canonical(name: &pg::TypeName) -> (String, bool) {
    let text = names::type_text(name);
    let serial = match text.as_str() {
        "serial" | "serial4" => Some("int4"),
        "bigserial" | "serial8" => Some("int8"),
        "smallserial" | "serial2" => Some("int2"),
        _ => None,
    };
    (serial.map_or(text, str::to_owned), serial.is_some())
}

/// The form in which types are compared, of a type as somebody wrote it.
pub fn type_kind(text: &str) -> String {
    syntax::parse_type(text).map_or_else(|_| text.to_owned(), |name| canonical(&name).0)
}

/// Whether a default makes a value that means nothing outside: a random one, or the next of a sequence.
pub fn is_generator(node: &Node) -> bool {
    let Some(NodeEnum::FuncCall(call)) = &node.node else { return false };
    let name = call.funcname.last().map(constant).unwrap_or_default();
    matches!(name.as_str(), "nextval" | "gen_random_uuid" | "uuidv7" | "uuidv4")
        || name.starts_with("uuid_generate_v")
}

/// Text that takes the place of a part of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// In bytes of the statement; empty to insert.
    pub at: Range<usize>,
    pub with: String,
}

impl Declaration {
    /// A statement with parts of its text replaced. Edits at one place keep their order; none may overlap.
    pub fn edited(&self, at: usize, mut edits: Vec<Edit>) -> Statement {
        let statement = &self.statements[at];
        edits.sort_by_key(|it| (it.at.start, it.at.end));
        let mut text = Text::default();
        let mut from = 0;
        for edit in edits {
            statement.copy_to(&mut text, &self.files, from..edit.at.start.max(from));
            text.add(&edit.with);
            from = edit.at.end.max(from);
        }
        statement.copy_to(&mut text, &self.files, from..statement.sql.len());
        statement.derive(text)
    }

    /// The declaration with other statements, in an order in which they load.
    ///
    /// Errors: statements that need each other.
    pub fn with_statements(self, statements: Vec<Statement>) -> Result<Declaration, Vec<Report>> {
        let statements = super::sorted(&self.files, statements)?;
        Ok(Declaration { statements, ..self })
    }
}

impl Statement {
    /// The statement under another search path.
    pub fn under(self, search_path: String) -> Statement {
        Statement { search_path: Some(search_path), ..self }
    }

    /// A statement that the files don't hold, and that comes of something in them.
    pub fn written(sql: String, origin: Span, names: Names) -> Statement {
        Statement { sql, origin, search_path: None, names, understood: true, pieces: vec![] }
    }
}

/// The names that an expression mentions, as references of whatever holds it.
pub fn mentioned(expression: &str) -> Vec<names::Reference> {
    let Ok(nodes) = syntax::parse(&format!("SELECT {expression}")) else { return vec![] };
    let path = ["public".to_owned()];
    nodes.first().map(|node| names::names(node, &path).refers).unwrap_or_default()
}
