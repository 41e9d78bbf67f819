//! A plan file's text, as a reviewer reads it: SQL in literal blocks, small tables in a line of their own. What it
//! writes is read again as it was, whatever names and strings hold.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Estimate, FileHazard, FileLock, FileStep, From, PlanFile, Proof, To};
use crate::plan::Undo;
use crate::plan::access::Change;
use crate::plan::batch::{Assignment, Batch};
use crate::plan::gate::Gate;
use crate::plan::hazard::Severity;
use crate::plan::split::{Before, Part};
use crate::scope::{Scope, Tenants};

/// The file's text.
pub fn write(plan: &PlanFile) -> String {
    let PlanFile { format, tool, id, name, part, from, to, scope, proof, notes, difference, gates, steps } = plan;
    let mut out =
        Writer(String::from("# A plan of tenantry. `tenantry show` renders it; `tenantry apply` runs it.\n\n"));
    out.plain("format", format);
    out.text("tool", tool);
    out.text("id", id);
    out.text("name", name);
    out.texts("notes", notes);
    if !difference.is_empty() {
        out.text("difference", difference);
    }
    if let Some(Part { number, of, before }) = part {
        out.head("[part]");
        out.plain("number", number);
        out.plain("of", of);
        out.rows("before", before, |Before { name, fingerprint }| {
            format!("name = {}, fingerprint = {}", string(name), string(fingerprint))
        });
    }
    let From { fingerprint, server } = from;
    out.head("[from]");
    out.text("fingerprint", fingerprint);
    out.text("server", server);
    let To { fingerprint, declaration } = to;
    out.head("[to]");
    out.text("fingerprint", fingerprint);
    out.text("declaration", declaration);
    let Scope {
        namespaces,
        ignore,
        platform,
        quarantine,
        tenants,
        upon,
        owners,
        grants,
        default_privileges,
        extensions,
        publications,
    } = scope;
    out.head("[scope]");
    out.texts("namespaces", namespaces);
    out.texts("ignore", ignore);
    if let Some(platform) = platform {
        out.text("platform", &platform.to_string());
    }
    if let Some(quarantine) = quarantine {
        out.text("quarantine", quarantine.as_str());
    }
    if let Some(Tenants { template, named }) = tenants {
        out.plain("tenants", format!("{{ template = {}, named = {} }}", basic(template), basic(named)));
    }
    out.texts("upon", upon);
    out.plain("owners", owners);
    out.plain("grants", grants);
    out.plain("default_privileges", default_privileges);
    out.plain("extensions", extensions);
    out.plain("publications", publications);
    let Proof { server, converges, undo_returns, rows_survive, filled, unfilled, unproved, access } = proof;
    out.head("[proof]");
    out.text("server", server);
    out.plain("converges", converges);
    out.plain("undo_returns", undo_returns);
    out.plain("rows_survive", rows_survive);
    out.texts("unproved", unproved);
    out.rows("access", access, |Change { role, commands, object, before, after }| {
        let commands: Vec<String> = commands.iter().map(|it| string(it.name())).collect();
        let before = before.map(|it| format!(", before = {}", string(it.name()))).unwrap_or_default();
        format!(
            "role = {}, commands = [{}], object = {}{before}, after = {}",
            string(role),
            commands.join(", "),
            string(object),
            string(after.name())
        )
    });
    out.table("[proof.filled]", filled, |rows| rows.to_string());
    out.table("[proof.unfilled]", unfilled, |why| string(why));
    for Gate { before, unused, retired, broken } in gates {
        out.head("[[gate]]");
        out.text("before", before.name());
        out.texts("unused", unused);
        out.texts("retired", retired);
        out.texts("broken", broken);
    }
    steps.iter().for_each(|it| step(it, &mut out));
    out.0
}

fn step(step: &FileStep, out: &mut Writer) {
    let FileStep {
        id,
        stage,
        summary,
        sql,
        batch,
        transaction,
        lock_timeout_ms,
        statement_timeout_ms,
        locks,
        rewrites,
        scans,
        hazards,
        estimate,
        undo,
        irreversible,
        check,
        because,
    } = step;
    out.head("[[step]]");
    out.plain("id", id);
    out.text("stage", stage.name());
    out.text("summary", summary);
    out.optional("because", because);
    out.text("sql", sql);
    if let Some(Batch { table, key, set, pending, into }) = batch {
        let key: Vec<String> = key.iter().map(|it| string(it)).collect();
        let key = if key.is_empty() { String::new() } else { format!("key = [{}], ", key.join(", ")) };
        let set: Vec<String> = set
            .iter()
            .map(|Assignment { column, value }| {
                format!("{{ column = {}, value = {} }}", string(column), string(value))
            })
            .collect();
        let (table, set, pending) = (string(table), set.join(", "), string(pending));
        let into = into.as_ref().map(|it| format!(", into = {}", string(it))).unwrap_or_default();
        out.line("batch", &format!("{{ table = {table}, {key}set = [{set}], pending = {pending}{into} }}"));
    }
    if let Some(transaction) = transaction {
        out.plain("transaction", transaction);
    }
    out.plain("lock_timeout_ms", lock_timeout_ms);
    out.plain("statement_timeout_ms", statement_timeout_ms);
    out.rows("locks", locks, |FileLock { relation, mode, observed }| {
        let observed = observed.map(|it| format!(", observed = {}", string(it.name()))).unwrap_or_default();
        format!("relation = {}, mode = {}{observed}", string(relation), string(mode.name()))
    });
    out.texts("rewrites", rewrites);
    out.texts("scans", scans);
    out.rows("hazards", hazards, |FileHazard { code, object, why, severity, accepted }| {
        let severity = severity.map_or("", |it| match it {
            Severity::Off => ", severity = \"off\"",
            Severity::Warn => ", severity = \"warn\"",
            Severity::Refuse => ", severity = \"refuse\"",
        });
        let accepted = accepted.as_ref().map(|it| format!(", accepted = {}", string(it))).unwrap_or_default();
        format!(
            "code = {}, object = {}, why = {}{severity}{accepted}",
            string(code.name()),
            string(object),
            string(why)
        )
    });
    if let Some(Estimate { rows, bytes, seconds: [from, to], disk, wal, reason }) = estimate {
        let (from, to) = (float(*from), float(*to));
        let needs: String = [("disk", disk), ("wal", wal)]
            .into_iter()
            .filter(|(_, bytes)| **bytes > 0)
            .map(|(what, bytes)| format!("{what} = {bytes}, "))
            .collect();
        let reason = string(reason);
        out.line(
            "estimate",
            &format!("{{ rows = {rows}, bytes = {bytes}, seconds = [{from}, {to}], {needs}reason = {reason} }}"),
        );
    }
    out.rows("undo", undo, |Undo { sql, transaction, unless, again: _ }| {
        let unless = unless.map(|step| format!("unless = {step}, ")).unwrap_or_default();
        format!("transaction = {transaction}, {unless}sql = {}", string(sql))
    });
    out.optional("irreversible", irreversible);
    out.optional("check", check);
}

struct Writer(String);

impl Writer {
    fn head(&mut self, head: &str) {
        let _ = writeln!(self.0, "\n{head}");
    }

    fn line(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    /// A number or a truth value.
    fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        self.line(key, &value.to_string());
    }

    fn text(&mut self, key: &str, text: &str) {
        self.line(key, &string(text));
    }

    fn optional(&mut self, key: &str, text: &Option<String>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// Nothing, where there are none; one a line, where there are several.
    fn texts(&mut self, key: &str, texts: &[String]) {
        match texts {
            [] => {}
            [one] => self.line(key, &format!("[{}]", string(one))),
            _ => {
                let lines: Vec<String> = texts.iter().map(|it| format!("    {},\n", string(it))).collect();
                self.line(key, &format!("[\n{}]", lines.concat()));
            }
        }
    }

    /// An array of small tables, each in its line.
    fn rows<T>(&mut self, key: &str, rows: &[T], row: impl Fn(&T) -> String) {
        if !rows.is_empty() {
            let lines: Vec<String> = rows.iter().map(|it| format!("    {{ {} }},\n", row(it))).collect();
            self.line(key, &format!("[\n{}]", lines.concat()));
        }
    }

    fn table<T>(&mut self, head: &str, table: &BTreeMap<String, T>, value: impl Fn(&T) -> String) {
        if !table.is_empty() {
            self.head(head);
            table.iter().for_each(|(key, it)| self.line(&basic(key), &value(it)));
        }
    }
}

/// A string in the form that reads best and can hold it.
fn string(text: &str) -> String {
    let controls = text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    // A literal can't hold three quotes in a row, and its last one would run into those that end it.
    let literal = !controls && !text.contains("'''") && !text.ends_with('\'');
    match (text.contains('\n'), text.contains(['"', '\\', '\t']) || controls) {
        // The first newline is no part of the string.
        (true, _) if literal => format!("'''\n{text}'''"),
        (true, _) => format!("\"\"\"\n{}\"\"\"", escaped(text, true)),
        (false, false) => format!("\"{text}\""),
        (false, true) if !controls && !text.contains('\'') => format!("'{text}'"),
        (false, true) if literal => format!("'''{text}'''"),
        (false, true) => basic(text),
    }
}

/// A string between double quotes on one line.
fn basic(text: &str) -> String {
    format!("\"{}\"", escaped(text, false))
}

fn escaped(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' if lines => out.push('\n'),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => _ = write!(out, "\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out
}

/// A float as TOML has it: with a point, also where there is nothing behind it.
fn float(number: f64) -> String {
    format!("{number:?}").to_lowercase()
}
