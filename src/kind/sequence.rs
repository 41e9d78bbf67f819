//! `CREATE SEQUENCE`, the free-standing ones and those of `serial` columns. A sequence of an identity column belongs
//! to its column and is no object of its own.

use serde::{Deserialize, Serialize};

use crate::kind::{Alter, Claim, Definition, Kind, Object, ObjectId};
use crate::lock::Lock;
use crate::name::{Name, QName, Role};
use crate::plan::hazard::Code;
use crate::plan::{Disturbance, Stage, Step};
use crate::schema::Sides;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    pub name: QName,
    #[serde(flatten)]
    pub options: Options,
    pub unlogged: bool,
    /// The column that the sequence goes with: (table, column).
    pub owned_by: Option<(QName, Name)>,
}

/// How a sequence counts; identity columns have the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// `smallint`, `integer` or `bigint`.
    pub data_type: String,
    pub start: i64,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cache: i64,
    pub cycle: bool,
}

impl Options {
    /// All options but the type, said outright: a default that the server would choose depends on the type.
    pub fn counting(&self) -> String {
        format!(
            "INCREMENT BY {} MINVALUE {} MAXVALUE {} START WITH {} CACHE {} {}",
            self.increment,
            self.min,
            self.max,
            self.start,
            self.cache,
            if self.cycle { "CYCLE" } else { "NO CYCLE" }
        )
    }

    /// Whether no position of the one is within the bounds of the other, so that counting has to begin anew.
    pub fn are_apart(&self, new: &Options) -> bool {
        new.min > self.max || new.max < self.min
    }

    /// The options that differ from what the server chooses by itself for the type, each with a space before it.
    pub fn unusual(&self) -> String {
        let top = match self.data_type.as_str() {
            "smallint" => i64::from(i16::MAX),
            "integer" => i64::from(i32::MAX),
            _ => i64::MAX,
        };
        let ascending = self.increment > 0;
        let (min, max) = if ascending { (1, top) } else { (-top - 1, -1) };
        let start = if ascending { self.min } else { self.max };
        let mut sql = String::new();
        for (unusual, option, value) in [
            (self.increment != 1, "INCREMENT BY", self.increment),
            (self.min != min, "MINVALUE", self.min),
            (self.max != max, "MAXVALUE", self.max),
            (self.start != start, "START WITH", self.start),
            (self.cache != 1, "CACHE", self.cache),
        ] {
            if unusual {
                sql += &format!(" {option} {value}");
            }
        }
        if self.cycle {
            sql += " CYCLE";
        }
        sql
    }
}

impl Sequence {
    /// Who owns the table that the sequence goes with, where that is not who creates the sequence: the server lets
    /// both only have one owner.
    fn owner_of_table(&self, sides: &Sides<'_>) -> Option<Role> {
        let (table, _) = self.owned_by.as_ref()?;
        let table = super::table::id(table);
        match sides.old.get(&table.satellite(Kind::Owner)) {
            Some(Object::Owner(owner)) if !sides.is_new(&table) && owner.role != sides.old.creator => {
                Some(owner.role.clone())
            }
            _ => None,
        }
    }

    /// Moves the position to where the new bounds allow it: ALTER SEQUENCE refuses while it is outside of them.
    fn moved_into(&self, new: &Options) -> Option<String> {
        let Options { min, max, start, .. } = *new;
        let tighter = min > self.options.min || max < self.options.max;
        let reachable = |value: i64| (self.options.min..=self.options.max).contains(&value);
        (tighter && reachable(start)).then(|| {
            let name = self.name.to_string();
            let name = crate::name::Literal(&name);
            format!(
                "SELECT setval({name}, CASE WHEN is_called THEN greatest({min}, least({max}, last_value)) \
                 ELSE {start} END, is_called) FROM {}",
                self.name
            )
        })
    }

    fn owned_by_sql(&self) -> String {
        let owner = match &self.owned_by {
            Some((table, column)) => format!("{table}.{column}"),
            None => "NONE".to_owned(),
        };
        format!("ALTER SEQUENCE {} OWNED BY {owner}", self.name)
    }
}

impl Definition for Sequence {
    const NOUN: &'static str = "sequence";

    // The owner column is an automatic dependency (deptype 'a'); an internal one (deptype 'i') makes it the
    // sequence of an identity column. relpersistence 'u' for sequences exists from 15 on.
    const CATALOG: &'static str = r#"
        SELECT json_build_object(
            'at', json_build_array('pg_class'::regclass::oid::int8, c.oid::int8, 0),
            'owner', pg_get_userbyid(c.relowner),
            'acl', (SELECT coalesce(json_agg(json_build_array(coalesce(r.rolname, ''), a.privilege_type,
                                                                a.is_grantable, pg_get_userbyid(a.grantor))
                                              ORDER BY r.rolname, a.privilege_type), '[]')
                      FROM aclexplode(coalesce(c.relacl, acldefault('s', c.relowner))) a
                      LEFT JOIN pg_roles r ON r.oid = a.grantee),
            'def', json_build_object(
                'name', json_build_array(n.nspname, c.relname),
                'data_type', format_type(s.seqtypid, NULL),
                'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax,
                'cache', s.seqcache, 'cycle', s.seqcycle,
                'unlogged', c.relpersistence = 'u',
                'owned_by', (SELECT json_build_array(json_build_array(tn.nspname, t.relname), col.attname)
                               FROM pg_depend d
                               JOIN pg_class t ON t.oid = d.refobjid
                               JOIN pg_namespace tn ON tn.oid = t.relnamespace
                               JOIN pg_attribute col ON col.attrelid = d.refobjid AND col.attnum = d.refobjsubid
                              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
                                AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0)))
          FROM pg_sequence s
          JOIN pg_class c ON c.oid = s.seqrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                              AND d.deptype IN ('i', 'e'))"#;

    fn id(&self) -> ObjectId {
        ObjectId::new(Kind::Sequence, [&self.name.namespace, &self.name.name])
    }

    fn reference(path: &[Name]) -> String {
        format!("SEQUENCE {}", super::dotted(path))
    }

    fn part_of(&self) -> Option<ObjectId> {
        let (table, column) = self.owned_by.as_ref()?;
        Some(ObjectId::new(Kind::Column, [&table.namespace, &table.name, column]))
    }

    fn claims(&self) -> Vec<Claim> {
        vec![super::relation_claim(&self.name)]
    }

    fn survives(&self, disturbance: Disturbance) -> bool {
        match disturbance {
            Disturbance::Retype { .. } | Disturbance::Swap => true,
            Disturbance::Replace => false,
        }
    }

    fn create(&self, sides: &Sides<'_>) -> Vec<Step> {
        let persistence = if self.unlogged { "UNLOGGED " } else { "" };
        let other_owner = self.owner_of_table(sides);
        let owned_by = match &self.owned_by {
            Some((table, column)) if other_owner.is_none() => format!(" OWNED BY {table}.{column}"),
            _ => String::new(),
        };
        let data_type = match self.options.data_type.as_str() {
            "bigint" => String::new(),
            other => format!(" AS {other}"),
        };
        let options = self.options.unusual();
        let mut steps =
            vec![Step::new(format!("CREATE {persistence}SEQUENCE {}{data_type}{options}{owned_by}", self.name))];
        if let Some(role) = other_owner {
            steps.push(Step::new(format!("ALTER SEQUENCE {} OWNER TO {role}", self.name)));
            steps.push(Step::new(self.owned_by_sql()));
        }
        steps
    }

    fn alter(&self, new: &Self, _sides: &Sides<'_>) -> Alter {
        let mut steps = vec![];
        if let Some(sql) = self.moved_into(&new.options) {
            steps.push(Step::new(sql).locks(&self.name, Lock::RowExclusive));
        }
        if self.options != new.options {
            let (data_type, counting) = (&new.options.data_type, new.options.counting());
            let apart = self.options.are_apart(&new.options);
            let restart = if apart { " RESTART" } else { "" };
            let step = Step::new(format!("ALTER SEQUENCE {} AS {data_type} {counting}{restart}", self.name))
                .locks(&self.name, Lock::ShareRowExclusive);
            steps.push(if apart { step.irreversible("the position of the sequence is gone") } else { step });
        }
        if self.unlogged != new.unlogged {
            let set = if new.unlogged { "UNLOGGED" } else { "LOGGED" };
            steps.push(
                Step::new(format!("ALTER SEQUENCE {} SET {set}", self.name))
                    .locks(&self.name, Lock::AccessExclusive)
                    .rewrites(&self.name),
            );
        }
        if self.owned_by != new.owned_by {
            steps.push(Step::new(new.owned_by_sql()).locks(&self.name, Lock::ShareRowExclusive));
        }
        Alter::Steps(steps)
    }

    fn drop(&self, _sides: &Sides<'_>) -> Vec<Step> {
        vec![
            Step::new(format!("DROP SEQUENCE {}", self.name))
                .stage(Stage::Contract)
                .locks(&self.name, Lock::AccessExclusive)
                .hazard(Code::DropSequence, self.id(), "its position is lost")
                .irreversible("the position of the sequence is gone"),
        ]
    }
}
