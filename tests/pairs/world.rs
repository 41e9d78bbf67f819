//! A schema from choices: whatever is chosen, the server takes it.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::choices::Choices;

/// One side, as SQL, and what a plan has to be told.
pub struct World {
    pub sql: String,
    /// Values for rows that stand already: columns that take no null.
    pub backfill: BTreeMap<String, String>,
    /// Tables, with how many rows they are said to hold.
    pub rows: BTreeMap<String, u64>,
}

/// What can be done with a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Integer,
    Text,
    Time,
    Document,
    Array,
    Flag,
    Enum,
    Domain,
    Composite,
    Range,
    Uuid,
}

struct Column {
    name: String,
    family: Family,
}

struct Table {
    name: String,
    partitioned: bool,
    columns: Vec<Column>,
    /// The leaves and branches below it.
    partitions: Vec<String>,
}

impl Table {
    fn of(&self, families: &[Family]) -> Vec<&str> {
        self.columns.iter().filter(|it| families.contains(&it.family)).map(|it| it.name.as_str()).collect()
    }
}

struct Maker<'a> {
    c: &'a Choices<'a>,
    out: World,
    tables: Vec<Table>,
    /// Views, with their columns.
    views: Vec<(String, Vec<String>)>,
    has_enum: bool,
    has_domain: bool,
    has_composite: bool,
    /// Functions of an integer that may stand in indexes.
    has_function: bool,
}

pub fn make(c: &Choices<'_>) -> World {
    let out = World { sql: String::new(), backfill: BTreeMap::new(), rows: BTreeMap::new() };
    let mut it = Maker {
        c,
        out,
        tables: vec![],
        views: vec![],
        has_enum: false,
        has_domain: false,
        has_composite: false,
        has_function: false,
    };
    it.line("CREATE SCHEMA app");
    it.types();
    it.function();
    for n in 0..4 {
        it.table(n);
    }
    it.heir();
    it.references();
    it.trigger_functions();
    for n in 0..it.tables.len() {
        it.around(n);
    }
    for n in 0..3 {
        it.view(n);
    }
    it.readers();
    it.rest();
    it.out
}

impl Maker<'_> {
    fn line(&mut self, sql: impl AsRef<str>) {
        let _ = writeln!(self.out.sql, "{};", sql.as_ref());
    }

    /// What any object may have beside itself.
    fn dressed(&mut self, what: &str, name: &str) {
        if self.c.has(&format!("{name}.comment"), 15) {
            let text = self.c.of(&format!("{name}.comment.text"), &["one", "it's two", "three\nlines"]);
            self.line(format!("COMMENT ON {what} {name} IS '{}'", text.replace('\'', "''")));
        }
        // Whoever owns a view has to be allowed to read what it reads.
        if what != "VIEW" && self.c.has(&format!("{name}.owner"), 12) {
            self.line(format!("ALTER {what} {name} OWNER TO app_owner"));
        }
    }

    fn types(&mut self) {
        let c = self.c;
        self.has_enum = c.has("enum", 80);
        if self.has_enum {
            let all = ["a", "b", "c d", "it's"];
            let labels: Vec<String> = all
                .iter()
                .filter(|it| **it == "a" || c.has(&format!("enum.{it}"), 70))
                .map(|it| format!("'{}'", it.replace('\'', "''")))
                .collect();
            self.line(format!("CREATE TYPE app.e0 AS ENUM ({})", labels.join(", ")));
            self.dressed("TYPE", "app.e0");
        }
        self.has_domain = c.has("domain", 80);
        if self.has_domain {
            let base = ["text", "varchar(30)"][c.both("domain.base", 2) as usize];
            let default = c.of("domain.default", &["", " DEFAULT 'x'", " DEFAULT lower('Y')"]);
            let check = c.of(
                "domain.check",
                &["", " CONSTRAINT d0_check CHECK (VALUE <> '')", " CONSTRAINT d0_check CHECK (length(VALUE) > 0)"],
            );
            self.line(format!("CREATE DOMAIN app.d0 AS {base}{default}{check}"));
            self.dressed("DOMAIN", "app.d0");
        }
        self.has_composite = c.has("composite", 70);
        if self.has_composite {
            let second = c.of("composite.second", &["", ", y integer", ", y bigint", ", y text"]);
            let third = if self.has_enum && c.has("composite.enum", 30) { ", z app.e0" } else { "" };
            self.line(format!("CREATE TYPE app.c0 AS (x integer{second}{third})"));
            self.dressed("TYPE", "app.c0");
        }
    }

    /// A function that defaults, checks, indexes, policies and views may use.
    fn function(&mut self) {
        let c = self.c;
        self.has_function = c.has("f0", 80);
        if !self.has_function {
            return;
        }
        let body = c.of("f0.body", &["SELECT a + 1", "SELECT a + 2", "SELECT CASE WHEN a > 0 THEN a ELSE 1 END"]);
        let returned = c.of("f0.returns", &["integer", "bigint"]);
        let attributes = c.of("f0.attributes", &["", " STRICT", " PARALLEL SAFE", " COST 7", " SECURITY DEFINER"]);
        let setting = c.of("f0.setting", &["", "", " SET search_path = ''"]);
        if c.has("f0.plpgsql", 30) {
            let body = body.replacen("SELECT", "RETURN", 1);
            self.line(format!(
                "CREATE FUNCTION app.f0(a integer) RETURNS {returned} LANGUAGE plpgsql IMMUTABLE{attributes}{setting} \
                 AS $$ BEGIN {body}; END $$"
            ));
        } else {
            self.line(format!(
                "CREATE FUNCTION app.f0(a integer) RETURNS {returned} LANGUAGE sql IMMUTABLE{attributes}{setting} AS $$ \
                 {body} $$"
            ));
        }
        self.dressed("FUNCTION", "app.f0(integer)");
        if c.has("f0.grant", 20) {
            self.line("REVOKE ALL ON FUNCTION app.f0(integer) FROM PUBLIC");
            self.line("GRANT EXECUTE ON FUNCTION app.f0(integer) TO app_reader, app_owner");
        }
    }

    fn column(&mut self, table: &str, n: u64) -> Option<(String, Column, bool)> {
        let c = self.c;
        let name = format!("c{n}");
        let at = format!("{table}.{name}");
        if !c.has(&at, 75) {
            return None;
        }
        let key = |what: &str| format!("{at}.{what}");
        let (family, data_type) = match c.both(&key("family"), 12) {
            0 | 1 => (Family::Text, c.of(&key("type"), &["text", "varchar(20)", "varchar(40)", "character(4)"])),
            2 => (Family::Time, c.of(&key("type"), &["timestamptz", "date", "timestamp", "timestamptz(3)"])),
            3 => (Family::Document, c.of(&key("type"), &["jsonb", "json"])),
            4 => (Family::Array, c.of(&key("type"), &["text[]", "varchar(10)[]"])),
            5 => (Family::Flag, "boolean"),
            6 if self.has_enum => (Family::Enum, c.of(&key("type"), &["app.e0", "app.e0", "app.e0[]"])),
            7 if self.has_domain => (Family::Domain, c.of(&key("type"), &["app.d0", "app.d0", "app.d0[]"])),
            8 if self.has_composite => (Family::Composite, c.of(&key("type"), &["app.c0", "app.c0", "app.c0[]"])),
            9 => (Family::Range, "int4range"),
            10 => (Family::Uuid, "uuid"),
            _ => (Family::Integer, c.of(&key("type"), &["integer", "bigint", "smallint", "numeric(10,2)"])),
        };
        let plain = !data_type.ends_with("[]");
        let value = match family {
            Family::Integer => c.of(&key("value"), &["0", "7", "1 + 1"]),
            Family::Text => c.of(&key("value"), &["'x'", "upper('y')", "'it''s'"]),
            Family::Time => c.of(&key("value"), &["'2020-01-01'", "now()"]),
            Family::Document => c.of(&key("value"), &["'{}'", "'[1]'"]),
            Family::Uuid => "gen_random_uuid()",
            Family::Flag => c.of(&key("value"), &["true", "false"]),
            Family::Enum if plain => "'a'",
            Family::Domain if plain => "'d'",
            Family::Array | Family::Enum | Family::Domain => "'{}'",
            Family::Composite | Family::Range => "NULL",
        };
        let mut sql = format!("{name} {data_type}");
        if family == Family::Text && c.has(&key("collation"), 15) {
            sql.push_str(" COLLATE \"C\"");
        }
        let default = match family {
            Family::Integer if self.has_function && c.has(&key("call"), 15) => Some("app.f0(1)"),
            _ => c.has(&key("default"), 40).then_some(value),
        };
        if let Some(default) = default {
            let _ = write!(sql, " DEFAULT {default}");
        }
        let required = value != "NULL" && c.has(&key("required"), 35);
        if required {
            sql.push_str(" NOT NULL");
            self.out.backfill.insert(format!("app.{table}.{name}"), value.to_owned());
        }
        let family = if plain { family } else { Family::Array };
        Some((sql, Column { name, family }, required))
    }

    fn table(&mut self, n: u64) {
        let c = self.c;
        let name = format!("t{n}");
        if !c.has(&name, 88) {
            return;
        }
        let key = |what: &str| format!("{name}.{what}");
        let partitioned = c.both(&key("partitioned"), 4) == 3;
        // The type of a partition key does not change.
        let id = match if partitioned { c.both(&key("id"), 6) } else { c.pick(&key("id"), 6) } {
            0 => "id integer NOT NULL",
            1 => "id bigint NOT NULL",
            2 if !partitioned => "id serial NOT NULL",
            3 if !partitioned => "id integer GENERATED ALWAYS AS IDENTITY",
            4 if !partitioned => "id bigint GENERATED BY DEFAULT AS IDENTITY (START 5)",
            _ => "id integer DEFAULT 1 NOT NULL",
        };
        let mut columns = vec![Column { name: "id".into(), family: Family::Integer }];
        let mut parts = vec![id.to_owned()];
        for n in 0..5 {
            if let Some((sql, column, _)) = self.column(&name, n) {
                parts.push(sql);
                columns.push(column);
            }
        }
        if c.has(&key("generated"), 20) {
            let call = self.has_function && c.has(&key("generated.call"), 50);
            let of = if call { "app.f0(1)" } else { c.of(&key("generated.of"), &["7", "8", "3 * 3"]) };
            parts.push(format!("g bigint GENERATED ALWAYS AS ({of}) STORED"));
        }
        if !c.has(&key("keyless"), 8) {
            parts.push(format!(
                "CONSTRAINT {} PRIMARY KEY (id)",
                c.of(&key("key"), &[&*format!("{name}_pkey"), &*format!("{name}_pkey"), &*format!("{name}_key"),])
            ));
        }
        let unlogged = if !partitioned && c.has(&key("unlogged"), 5) { "UNLOGGED " } else { "" };
        let hash = c.both(&key("hash"), 2) == 1;
        let by = match (partitioned, hash) {
            (false, _) => "",
            (true, true) => " PARTITION BY HASH (id)",
            (true, false) => " PARTITION BY RANGE (id)",
        };
        let with = match partitioned {
            false => c.of(&key("with"), &["", "", " WITH (fillfactor = 70)", " WITH (autovacuum_enabled = false)"]),
            true => "",
        };
        self.line(format!("CREATE {unlogged}TABLE app.{name} ({}){by}{with}", parts.join(", ")));
        let mut table = Table { name: name.clone(), partitioned, columns, partitions: vec![] };
        if partitioned {
            self.partitions(&mut table, hash);
        }
        self.dressed("TABLE", &format!("app.{name}"));
        if c.both(&key("large"), 2) == 1 {
            self.out.rows.insert(format!("app.{name}"), 2_000_000);
        }
        self.tables.push(table);
    }

    fn partitions(&mut self, table: &mut Table, hash: bool) {
        let c = self.c;
        let whole = table.name.clone();
        let bounds: Vec<(String, String)> = match hash {
            true => (0..2).map(|n| (format!("p{n}"), format!("WITH (MODULUS 2, REMAINDER {n})"))).collect(),
            false => {
                let mut bounds = vec![("p0".into(), "FROM (0) TO (100)".into())];
                if c.has(&format!("{whole}.p1"), 60) {
                    bounds.push(("p1".into(), "FROM (100) TO (200)".into()));
                }
                bounds.push(("rest".into(), "DEFAULT".into()));
                bounds
            }
        };
        for (short, bound) in bounds {
            let name = format!("{whole}_{short}");
            let bound = if bound == "DEFAULT" { bound } else { format!("FOR VALUES {bound}") };
            let deeper = short == "p0" && c.has(&format!("{name}.deeper"), 20);
            let by = if deeper { " PARTITION BY HASH (id)" } else { "" };
            self.line(format!("CREATE TABLE app.{name} PARTITION OF app.{whole} {bound}{by}"));
            if deeper {
                self.line(format!(
                    "CREATE TABLE app.{name}_d PARTITION OF app.{name} FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
                ));
                table.partitions.push(format!("{name}_d"));
            }
            if c.has(&format!("{name}.default"), 10) {
                self.line(format!("ALTER TABLE app.{name} ALTER COLUMN id SET DEFAULT 9"));
            }
            if c.has(&format!("{name}.index"), 15) {
                self.line(format!("CREATE INDEX {name}_own ON app.{name} (id DESC)"));
            }
            if c.has(&format!("{name}.check"), 10) {
                self.line(format!("ALTER TABLE app.{name} ADD CONSTRAINT {name}_own CHECK (id < 100000)"));
            }
            if c.has(&format!("{name}.grant"), 10) {
                self.line(format!("GRANT SELECT ON app.{name} TO app_reader"));
            }
            self.dressed("TABLE", &format!("app.{name}"));
            table.partitions.push(name);
        }
    }

    /// A table that inherits.
    fn heir(&mut self) {
        let c = self.c;
        let Some(parent) = self.tables.iter().find(|it| !it.partitioned).map(|it| it.name.clone()) else { return };
        if !c.has("heir", 25) {
            return;
        }
        let own = c.of("heir.own", &["", "own text", "own text DEFAULT 'x'"]);
        self.line(format!("CREATE TABLE app.heir ({own}) INHERITS (app.{parent})"));
        if c.has("heir.index", 50) {
            self.line("CREATE INDEX heir_id ON app.heir (id)");
        }
        self.dressed("TABLE", "app.heir");
    }

    /// Foreign keys from later tables to earlier ones, and to themselves.
    fn references(&mut self) {
        let c = self.c;
        for n in 0..self.tables.len() {
            let from = self.tables[n].name.clone();
            let at = format!("{from}.reference");
            let target = &self.tables[c.pick(&format!("{at}.to"), n as u64 + 1) as usize];
            let to = target.name.clone();
            let unlogged = !target.partitioned && c.has(&format!("{to}.unlogged"), 5);
            if unlogged || c.has(&format!("{to}.keyless"), 8) || !c.has(&at, 60) {
                continue;
            }
            let column = self.tables[n].name.replace('t', "r");
            let data_type = c.of(&format!("{at}.type"), &["integer", "bigint"]);
            self.line(format!("ALTER TABLE app.{from} ADD COLUMN {column} {data_type}"));
            let partitioned = self.tables[n].partitioned;
            let action = c.of(
                &format!("{at}.action"),
                &["", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE CASCADE ON DELETE RESTRICT"],
            );
            let deferred =
                c.of(&format!("{at}.deferred"), &["", "", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED"]);
            let valid = if !partitioned && c.has(&format!("{at}.not_valid"), 10) { " NOT VALID" } else { "" };
            self.line(format!(
                "ALTER TABLE app.{from} ADD CONSTRAINT {from}_{column}_fkey FOREIGN KEY ({column}) REFERENCES \
                 app.{to} (id){action}{deferred}{valid}"
            ));
        }
    }

    fn trigger_functions(&mut self) {
        let c = self.c;
        let body = c.of("touch.body", &["RETURN NEW;", "RAISE DEBUG 'touched'; RETURN NEW;"]);
        self.line(format!(
            "CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        ));
        self.line("CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$");
    }

    /// What hangs on a table.
    fn around(&mut self, n: usize) {
        self.checks(n);
        for i in 0..3 {
            self.index(n, i);
        }
        self.rules_of_rows(n);
        self.triggers(n);
        self.settings(n);
    }

    fn checks(&mut self, n: usize) {
        let c = self.c;
        let Table { name, partitioned, .. } = &self.tables[n];
        let (name, partitioned) = (name.clone(), *partitioned);
        let key = |what: &str| format!("{name}.{what}");
        if c.has(&key("check"), 40) {
            let call = self.has_function && c.has(&key("check.call"), 30);
            let condition = if call {
                "app.f0(1) > 0"
            } else {
                c.of(&key("check.of"), &["id > 0", "id >= 0", "id > 0 OR id < -5"])
            };
            let tail = match c.pick(&key("check.tail"), 5) {
                1 => " NOT VALID",
                2 if !partitioned => " NO INHERIT",
                _ => "",
            };
            self.line(format!("ALTER TABLE app.{name} ADD CONSTRAINT {name}_check CHECK ({condition}){tail}"));
            if c.has(&key("check.comment"), 20) {
                self.line(format!("COMMENT ON CONSTRAINT {name}_check ON app.{name} IS 'a check'"));
            }
        }
        let unique = self.tables[n].of(&[Family::Integer, Family::Text, Family::Uuid]);
        if c.has(&key("unique"), 30) {
            let second = unique[c.pick(&key("unique.of"), unique.len() as u64) as usize].to_owned();
            let columns = if second == "id" { "id".to_owned() } else { format!("id, {second}") };
            let deferred = c.of(&key("unique.deferred"), &["", "", " DEFERRABLE"]);
            self.line(format!("ALTER TABLE app.{name} ADD CONSTRAINT {name}_unique UNIQUE ({columns}){deferred}"));
        }
        let ranges = self.tables[n].of(&[Family::Range]);
        if let (false, Some(range), true) = (partitioned, ranges.first(), c.has(&key("exclude"), 50)) {
            let range = (*range).to_owned();
            self.line(format!(
                "ALTER TABLE app.{name} ADD CONSTRAINT {name}_exclude EXCLUDE USING gist ({range} WITH &&)"
            ));
        }
    }

    fn index(&mut self, n: usize, i: u64) {
        let c = self.c;
        let table = &self.tables[n];
        let (name, partitioned) = (table.name.clone(), table.partitioned);
        let at = format!("{name}.i{i}");
        if !c.has(&at, 45) {
            return;
        }
        let key = |what: &str| format!("{at}.{what}");
        let sorted = table.of(&[
            Family::Integer,
            Family::Text,
            Family::Time,
            Family::Enum,
            Family::Domain,
            Family::Uuid,
            Family::Array,
        ]);
        let one = sorted[c.pick(&key("column"), sorted.len() as u64) as usize];
        let documents = table.of(&[Family::Document]);
        let text = table.of(&[Family::Text]);
        let what = match c.pick(&key("what"), 7) {
            1 => format!("({one} DESC NULLS LAST)"),
            2 if !text.is_empty() => format!("(lower(({})::text))", text[0]),
            3 if self.has_function => "(app.f0(7))".to_owned(),
            4 if !text.is_empty() => format!("(({}::text) text_pattern_ops)", text[0]),
            5 if !documents.is_empty() => format!("((({}::jsonb) -> 'k'))", documents[0]),
            6 if one != "id" => format!("(id, {one})"),
            _ => format!("({one})"),
        };
        let include = match c.has(&key("include"), 15) {
            true => " INCLUDE (id)",
            false => "",
        };
        let filter = c.of(&key("filter"), &["", "", "", " WHERE id > 7", " WHERE id > 8"]);
        let unique =
            if !partitioned && what.starts_with("(id,") && c.has(&key("unique"), 30) { "UNIQUE " } else { "" };
        self.line(format!("CREATE {unique}INDEX {name}_i{i} ON app.{name} {what}{include}{filter}"));
        if c.has(&key("comment"), 10) {
            self.line(format!("COMMENT ON INDEX app.{name}_i{i} IS 'an index'"));
        }
    }

    fn rules_of_rows(&mut self, n: usize) {
        let c = self.c;
        let name = self.tables[n].name.clone();
        let key = |what: &str| format!("{name}.{what}");
        if c.has(&key("secured"), 40) {
            self.line(format!("ALTER TABLE app.{name} ENABLE ROW LEVEL SECURITY"));
            if c.has(&key("forced"), 40) {
                self.line(format!("ALTER TABLE app.{name} FORCE ROW LEVEL SECURITY"));
            }
        }
        for p in 0..2 {
            let at = key(&format!("policy{p}"));
            if !c.has(&at, 35) {
                continue;
            }
            let kind = c.of(&format!("{at}.kind"), &["", "", " AS RESTRICTIVE"]);
            let command = c.of(&format!("{at}.command"), &["ALL", "SELECT", "UPDATE"]);
            let to = c.of(&format!("{at}.to"), &["PUBLIC", "app_reader", "app_reader, app_writer"]);
            let call = self.has_function && c.has(&format!("{at}.call"), 40);
            let using = match c.pick(&format!("{at}.using"), 4) {
                _ if call => "app.f0(3) > 2".to_owned(),
                0 => "true".to_owned(),
                1 => "id > 3".to_owned(),
                2 => format!("id IN (SELECT id FROM app.{})", self.tables[0].name),
                _ => "current_user = 'app_reader'".to_owned(),
            };
            self.line(format!("CREATE POLICY policy{p} ON app.{name}{kind} FOR {command} TO {to} USING ({using})"));
        }
    }

    fn triggers(&mut self, n: usize) {
        let c = self.c;
        let (name, partitioned) = (self.tables[n].name.clone(), self.tables[n].partitioned);
        let key = |what: &str| format!("{name}.{what}");
        if c.has(&key("touch"), 35) {
            let last = self.tables[n].columns.last().map(|it| it.name.clone()).unwrap_or_default();
            let of = match c.pick(&key("touch.of"), 3) {
                1 => format!("UPDATE OF {last}"),
                2 => "INSERT OR UPDATE".to_owned(),
                _ => "INSERT".to_owned(),
            };
            let when = c.of(&key("touch.when"), &["", "", " WHEN (NEW.id > 0)"]);
            self.line(format!(
                "CREATE TRIGGER touch BEFORE {of} ON app.{name} FOR EACH ROW{when} EXECUTE FUNCTION app.touch()"
            ));
            let state = c.of(&key("touch.state"), &["", "", "", "DISABLE", "ENABLE ALWAYS"]);
            if !state.is_empty() {
                self.line(format!("ALTER TABLE app.{name} {state} TRIGGER touch"));
            }
        }
        if c.has(&key("note"), 20) {
            let sql = match c.pick(&key("note.kind"), 3) {
                1 if !partitioned => format!(
                    "CREATE CONSTRAINT TRIGGER note AFTER INSERT ON app.{name} DEFERRABLE INITIALLY DEFERRED FOR EACH \
                     ROW EXECUTE FUNCTION app.note()"
                ),
                2 => format!(
                    "CREATE TRIGGER note AFTER UPDATE ON app.{name} REFERENCING NEW TABLE AS after FOR EACH STATEMENT \
                     EXECUTE FUNCTION app.note()"
                ),
                _ => format!(
                    "CREATE TRIGGER note AFTER DELETE ON app.{name} FOR EACH STATEMENT EXECUTE FUNCTION app.note()"
                ),
            };
            self.line(sql);
        }
    }

    fn settings(&mut self, n: usize) {
        let c = self.c;
        let (name, partitioned) = (self.tables[n].name.clone(), self.tables[n].partitioned);
        let key = |what: &str| format!("{name}.{what}");
        let columns: Vec<String> = self.tables[n].columns.iter().map(|it| it.name.clone()).collect();
        let one = &columns[c.pick(&key("one"), columns.len() as u64) as usize];
        if c.has(&key("grant"), 40) {
            let what = c.of(&key("grant.what"), &["SELECT", "SELECT, INSERT", "ALL", "UPDATE"]);
            let option = c.of(&key("grant.option"), &["", "", " WITH GRANT OPTION"]);
            self.line(format!("GRANT {what} ON app.{name} TO app_reader{option}"));
        }
        if c.has(&key("column_grant"), 25) {
            self.line(format!("GRANT SELECT ({one}) ON app.{name} TO app_writer"));
        }
        if c.has(&key("statistics"), 15) {
            self.line(format!("ALTER TABLE app.{name} ALTER COLUMN {one} SET STATISTICS 50"));
        }
        if c.has(&key("column_comment"), 20) {
            self.line(format!("COMMENT ON COLUMN app.{name}.{one} IS 'of {one}'"));
        }
        if !partitioned && c.has(&key("replica"), 15) {
            self.line(format!("ALTER TABLE app.{name} REPLICA IDENTITY FULL"));
        }
        let counted = self.tables[n].of(&[Family::Integer, Family::Text, Family::Time, Family::Flag]);
        if c.has(&key("extended"), 20) && counted.len() > 1 {
            let other = counted[1 + c.pick(&key("extended.of"), counted.len() as u64 - 1) as usize];
            let kinds = c.of(&key("extended.kinds"), &["", " (ndistinct)"]);
            self.line(format!("CREATE STATISTICS app.{name}_extended{kinds} ON id, {other} FROM app.{name}"));
        }
    }

    /// Views over tables and over each other.
    fn view(&mut self, n: u64) {
        let c = self.c;
        let name = format!("app.v{n}");
        if !c.has(&name, 65) || self.tables.is_empty() {
            return;
        }
        let key = |what: &str| format!("{name}.{what}");
        let over_view = !self.views.is_empty() && c.has(&key("over_view"), 50);
        let (from, all) = if over_view {
            self.views[c.pick(&key("view"), self.views.len() as u64) as usize].clone()
        } else {
            let table = &self.tables[c.pick(&key("table"), self.tables.len() as u64) as usize];
            (format!("app.{}", table.name), table.columns.iter().map(|it| it.name.clone()).collect())
        };
        let columns: Vec<String> =
            all.into_iter().filter(|it| it == "id" || c.has(&key(&format!("column.{it}")), 60)).collect();
        let more = match self.has_function && c.has(&key("call"), 25) {
            true => ", app.f0(5) AS called",
            false => "",
        };
        let order: Vec<String> =
            if c.has(&key("turned"), 20) { columns.iter().rev().cloned().collect() } else { columns.clone() };
        let filter = c.of(&key("filter"), &["", "", " WHERE id > 1", " WHERE id > 2"]);
        let stored = n == 2 && c.has(&key("stored"), 50);
        if stored {
            let data = c.of(&key("data"), &["", " WITH NO DATA"]);
            self.line(format!(
                "CREATE MATERIALIZED VIEW {name} AS SELECT {}{more} FROM {from}{filter}{data}",
                order.join(", ")
            ));
            if c.has(&key("index"), 60) {
                self.line(format!("CREATE INDEX v{n}_id ON {name} (id)"));
            }
            self.dressed("MATERIALIZED VIEW", &name);
        } else {
            let with = c.of(&key("with"), &["", "", " WITH (security_barrier = true)"]);
            let check = match more.is_empty() && c.has(&key("check"), 15) {
                true => " WITH CASCADED CHECK OPTION",
                false => "",
            };
            self.line(format!(
                "CREATE VIEW {name}{with} AS SELECT {}{more} FROM {from}{filter}{check}",
                order.join(", ")
            ));
            if c.has(&key("trigger"), 15) {
                self.line(format!(
                    "CREATE TRIGGER instead INSTEAD OF INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION app.touch()"
                ));
            }
            if c.has(&key("default"), 10) {
                self.line(format!("ALTER VIEW {name} ALTER COLUMN id SET DEFAULT 4"));
            }
            self.dressed("VIEW", &name);
            self.views.push((name.clone(), columns));
        }
        if c.has(&key("grant"), 35) {
            self.line(format!("GRANT SELECT ON {name} TO {}", c.of(&key("grant.to"), &["anon", "app_reader"])));
        }
    }

    /// Functions that name tables and types.
    fn readers(&mut self) {
        let c = self.c;
        if let (Some(table), true) = (self.tables.first().map(|it| it.name.clone()), c.has("reader", 60)) {
            match c.pick("reader.kind", 5) {
                0 => self.line(format!(
                    "CREATE FUNCTION app.reader() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM \
                     app.{table} $$"
                )),
                1 => self.line(format!(
                    "CREATE FUNCTION app.reader() RETURNS SETOF app.{table} LANGUAGE sql STABLE AS $$ SELECT * FROM \
                     app.{table} $$"
                )),
                2 => self.line(format!(
                    "CREATE FUNCTION app.reader() RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT max(id) FROM \
                     app.{table})"
                )),
                3 => self.line(format!(
                    "CREATE FUNCTION app.reader(it app.{table}) RETURNS bigint LANGUAGE plpgsql STABLE AS $$ BEGIN \
                     RETURN it.id; END $$"
                )),
                _ => self.line(
                    "CREATE FUNCTION app.reader(a integer DEFAULT 3, b text DEFAULT 'x') RETURNS text LANGUAGE sql \
                     AS $$ SELECT b || a $$",
                ),
            }
        }
        if self.has_enum && c.has("of_enum", 35) {
            self.line(
                "CREATE FUNCTION app.of_enum(label app.e0) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT label::text \
                 $$",
            );
        }
        if self.has_composite && c.has("of_composite", 35) {
            self.line(
                "CREATE FUNCTION app.of_composite() RETURNS app.c0 LANGUAGE sql AS $$ SELECT NULL::app.c0 $$",
            );
        }
    }

    fn rest(&mut self) {
        let c = self.c;
        if c.has("schema.grant", 30) {
            self.line("GRANT USAGE ON SCHEMA app TO app_reader");
        }
        if c.has("publication", 40) && !self.tables.is_empty() {
            let mut members: Vec<String> = vec![];
            for table in &self.tables {
                let name = &table.name;
                let unlogged = !table.partitioned && c.has(&format!("{name}.unlogged"), 5);
                if !unlogged && c.has(&format!("publication.{name}"), 60) {
                    let filtered = !table.partitioned && c.has(&format!("publication.{name}.filter"), 20);
                    let filter = if filtered { " WHERE (id > 0)" } else { "" };
                    members.push(format!("app.{name}{filter}"));
                }
            }
            let what =
                if members.is_empty() { String::new() } else { format!(" FOR TABLE {}", members.join(", ")) };
            let with = c.of("publication.with", &["", " WITH (publish = 'insert')"]);
            self.line(format!("CREATE PUBLICATION pub{what}{with}"));
        }
        if c.has("sequence", 40) {
            let with = c.of("sequence.with", &["", " INCREMENT 5", " AS integer MAXVALUE 1000", " CYCLE"]);
            self.line(format!("CREATE SEQUENCE app.s0{with}"));
            self.dressed("SEQUENCE", "app.s0");
        }
        if c.has("privileges", 20) {
            self.line("ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO app_reader");
        }
    }
}
