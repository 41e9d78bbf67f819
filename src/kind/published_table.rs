//! A table that a publication names, with the columns and rows that it publishes of it.

use serde::{Deserialize, Serialize};

use crate::kind::index::Identity;
use crate::kind::{Alter, Claim, Definition, Expr, Kind, Object, ObjectId, index, publication, table};
use crate::lock::Lock;
use crate::name::{Name, QName, list};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;
use crate::source::syntax;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublishedTable {
    pub publication: Name,
    pub table: QName,
    /// In the order of the table's columns; None publishes all of them, those to come as well.
    pub columns: Option<Vec<Name>>,
    /// The condition that published rows meet.
    pub rows: Option<Expr>,
}

impl PublishedTable {
    /// As it stands after FOR TABLE and ADD TABLE.
    pub fn sql(&self, sides: &Sides<'_>) -> String {
        let mut sql = format!("{}{}", table::only(sides, &self.table), self.table);
        if let Some(columns) = &self.columns {
            sql += &format!(" ({})", list(columns));
        }
        if let Some(rows) = &self.rows {
            sql += &format!(" WHERE ({rows})");
        }
        sql
    }

    /// What a replica would not be told of the columns by which it knows rows.
    pub fn lacks(&self, identity: &Identity<'_>) -> Option<String> {
        let Identity::Columns(known) = identity else {
            return self.columns.as_ref().map(|_| "publishes some columns, and rows are known by all of them".into());
        };
        let unpublished = self.columns.iter().flat_map(|listed| known.iter().filter(|it| !listed.contains(it)));
        if let Some(column) = unpublished.copied().next() {
            return Some(format!("does not publish {column}, by which rows are known"));
        }
        let mut chosen = self.rows.iter().flat_map(|rows| syntax::columns(&rows.0)).map(Name::from);
        chosen.find(|it| !known.contains(&it)).map(|it| format!("chooses rows by {it}, by which they are not known"))
    }

    pub fn locking(&self, step: Step) -> Step {
        step.locks(&self.table, Lock::ShareUpdateExclusive)
    }

    fn step(&self, action: String, why: String) -> Step {
        self.locking(Step::new(format!("ALTER PUBLICATION {} {action}", self.publication)))
            .hazard(Code::PublicationChange, self.id(), why)
    }
}

impl Definition for PublishedTable {
    const NOUN: &'static str = "published table";

    // Conditions and columns exist from 15 on. Before, their names are found one level further out, as nulls.
    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_publication_rel'::regclass::oid::int8, r.oid::int8, 0),
            'def', json_build_object(
                'publication', p.pubname,
                'table', json_build_array(n.nspname, c.relname),
                'columns', CASE WHEN r.prattrs IS NOT NULL THEN
                    (SELECT json_agg(a.attname ORDER BY a.attnum)
                       FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum = ANY (r.prattrs::int2[])) END,
                'rows', r.condition))
          FROM (SELECT NULL::int2vector AS prattrs, NULL::pg_node_tree AS prqual) unknown
          CROSS JOIN LATERAL (
              SELECT oid, prpubid, prrelid, prattrs, pg_get_expr(prqual, prrelid) AS condition
                FROM pg_publication_rel) r
          JOIN pg_publication p ON p.oid = r.prpubid
          JOIN pg_class c ON c.oid = r.prrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_publication'::regclass
                              AND d.objid = p.oid AND d.deptype = 'e')"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::PublishedTable, [&self.publication, &self.table.namespace, &self.table.name])
    }

    fn namespace(&self) -> Option<Name> {
        Some(self.table.namespace.clone())
    }

    fn reference(path: &[Name]) -> String {
        super::dotted(path)
    }

    fn label(path: &[Name]) -> Option<String> {
        let (publication, table) = path.split_first()?;
        Some(format!("{} of publication {publication}", super::dotted(table)))
    }

    fn part_of(&self) -> Option<ObjectId> {
        Some(publication::id(&self.publication))
    }

    fn made_with_whole(&self) -> bool {
        true
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim("published table", self.id().path.to_vec())]
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            // The server refuses while the condition, or the list of columns, names the column.
            Disturbance::Retype { .. } | Disturbance::Swap => self.rows.is_none() && self.columns.is_none(),
            Disturbance::Replace => false,
        }
    }

    /// What rows come to be known by: of the two changes, each alone could leave updates that can't be told. A key that takes
    /// in other columns does so late, and what is published may come long before it where that fits both.
    fn changes_with(&self, sides: &Sides<'_>) -> Option<ObjectId> {
        let identity = |side| index::identity(side, table::find(side, &self.table)?);
        let identifying = |side| index::identifying(side, table::find(side, &self.table)?).map(|(id, _)| id);
        let Some(Object::PublishedTable(before)) = sides.old.get(&self.id()) else { return None };
        let early = self.lacks(&identity(sides.old)?).is_some();
        let late = || identity(sides.new).is_some_and(|it| before.lacks(&it).is_some());
        let changes = || identifying(sides.old) != identifying(sides.new);
        (early || (changes() && late())).then(|| index::new_identity(sides, &self.table))?
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        let why = match (sides.old.contains(&self.id()), &self.columns, &self.rows) {
            (true, ..) => "the table leaves the publication and comes back, in one transaction",
            (false, None, None) => "subscribers get the table once they refresh",
            (false, ..) => "subscribers get a part of the table once they refresh",
        };
        vec![self.step(format!("ADD TABLE {}", self.sql(sides)), why.to_owned())]
    }

    /// SET TABLE would have to name all other tables as well, so the table leaves and comes back in one transaction.
    fn alter(&self, _new: &Self, _sides: &Sides<'_>) -> Alter {
        Alter::Replace
    }

    fn drop(&self, sides: &Sides<'_>) -> Vec<Step> {
        let why = if sides.new.contains(&self.id()) {
            "the table leaves the publication and comes back, in one transaction"
        } else {
            "subscribers get no more changes of the table"
        };
        let action = format!("DROP TABLE {}{}", table::only(sides, &self.table), self.table);
        vec![self.step(action, why.to_owned()).stage(Stage::Contract)]
    }
}
