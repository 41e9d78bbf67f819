//! Finds the names that a parse tree mentions, wherever in it they stand.
//!
//! The tree has some 270 types of node. Rather than follow each, this serializes the tree into nothing and listens:
//! serde names every struct and field on the way, so no node is missed and a new one needs no line here.

use std::fmt::Display;

use serde::ser::{self, Impossible, Serialize};

/// A name as the tree has it: the parts in the order written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// A table, view, sequence … `foreign_key` when it stands after REFERENCES.
    Relation {
        parts: Vec<String>,
        foreign_key: bool,
    },
    Routine(Vec<String>),
    /// With `of_column`, the parts end with the column's name (`%TYPE`).
    Type {
        parts: Vec<String>,
        of_column: bool,
    },
    /// A WITH query, which hides a relation of its name.
    WithQuery(String),
}

/// All mentions in a tree, in its order.
pub fn mentions<T: Serialize>(tree: &T) -> Vec<Mention> {
    let mut walk = Walk { found: Vec::new(), open: Vec::new(), foreign_key: false };
    // Nothing in the walk can fail; `Silence` has no value.
    match tree.serialize(&mut walk) {
        Ok(()) => walk.found,
        Err(silence) => match silence {},
    }
}

struct Walk {
    found: Vec<Mention>,
    /// The structs that are being read and matter, innermost last.
    open: Vec<Open>,
    foreign_key: bool,
}

/// A struct that matters, while it is read.
struct Open {
    kind: Kind,
    parts: Vec<String>,
    of_column: bool,
    /// Whether strings are parts of its name just now.
    listening: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Relation,
    Routine,
    Type,
    WithQuery,
    /// A struct that is none of these. Its strings are not parts of the name around it, unless it is a mere wrapper.
    Other,
}

/// The error of a walk that can't fail.
#[derive(Debug)]
enum Silence {}

impl Display for Silence {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Silence {}

impl ser::Error for Silence {
    fn custom<T: Display>(message: T) -> Self {
        unreachable!("a parse tree serializes without an error of its own: {message}")
    }
}

impl Walk {
    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let mut parts = open.parts;
        parts.retain(|part| !part.is_empty());
        match (open.kind, parts.is_empty()) {
            (Kind::Other, _) | (_, true) => {}
            (Kind::Relation, _) => {
                self.found.push(Mention::Relation { parts, foreign_key: self.foreign_key });
            }
            (Kind::Routine, _) => self.found.push(Mention::Routine(parts)),
            (Kind::Type, _) => self.found.push(Mention::Type { parts, of_column: open.of_column }),
            (Kind::WithQuery, _) => self.found.extend(parts.pop().map(Mention::WithQuery)),
        }
    }
}

impl<'a> ser::Serializer for &'a mut Walk {
    type Ok = ();
    type Error = Silence;
    type SerializeSeq = &'a mut Walk;
    type SerializeTuple = Impossible<(), Silence>;
    type SerializeTupleStruct = Impossible<(), Silence>;
    type SerializeTupleVariant = Impossible<(), Silence>;
    type SerializeMap = Impossible<(), Silence>;
    type SerializeStruct = &'a mut Walk;
    type SerializeStructVariant = Impossible<(), Silence>;

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct, Silence> {
        let kind = match name {
            "RangeVar" => Kind::Relation,
            "FuncCall" => Kind::Routine,
            "TypeName" => Kind::Type,
            "CommonTableExpr" => Kind::WithQuery,
            _ => Kind::Other,
        };
        // `Node { node: String { sval } }` wraps the parts of a name without being a name.
        let wrapper = matches!(name, "Node" | "String");
        let listening = wrapper && self.open.last().is_some_and(|open| open.listening);
        self.open.push(Open { kind, parts: Vec::new(), of_column: false, listening });
        Ok(self)
    }

    fn serialize_str(self, text: &str) -> Result<(), Silence> {
        if self.open.last().is_some_and(|open| open.listening)
            && let Some(name) = self.open.iter_mut().rev().find(|open| open.kind != Kind::Other)
        {
            name.parts.push(text.to_owned());
        }
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<(), Silence> {
        // Only `pct_type` is serialized while a type listens to a field of its own that is a bool.
        if let Some(open) = self.open.last_mut()
            && open.kind == Kind::Type
            && open.listening
        {
            open.of_column = value;
        }
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Silence> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Silence> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Silence> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Silence> {
        Ok(self)
    }

    fn serialize_i8(self, _: i8) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_i16(self, _: i16) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_i32(self, _: i32) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_i64(self, _: i64) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_u8(self, _: u8) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_u16(self, _: u16) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_u32(self, _: u32) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_u64(self, _: u64) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_f64(self, _: f64) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_char(self, _: char) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Silence> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Silence> {
        Ok(())
    }

    // The tree is made of structs, lists and one-value variants. The shapes below do not occur in it.

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Silence> {
        unreachable!("a parse tree has no tuples")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Silence> {
        unreachable!("a parse tree has no tuples")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Silence> {
        unreachable!("a parse tree has no tuples")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Silence> {
        unreachable!("a parse tree has no maps")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Silence> {
        unreachable!("a parse tree has no struct variants")
    }
}

impl ser::SerializeStruct for &mut Walk {
    type Ok = ();
    type Error = Silence;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, field: &'static str, value: &T) -> Result<(), Silence> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        match (open.kind, field) {
            (Kind::Relation, "schemaname" | "relname")
            | (Kind::Routine, "funcname")
            | (Kind::Type, "names" | "pct_type")
            | (Kind::WithQuery, "ctename") => {
                open.listening = true;
                value.serialize(&mut **self)?;
                if let Some(open) = self.open.last_mut() {
                    open.listening = false;
                }
                Ok(())
            }
            (Kind::Other, "pktable") => {
                self.foreign_key = true;
                value.serialize(&mut **self)?;
                self.foreign_key = false;
                Ok(())
            }
            _ => value.serialize(&mut **self),
        }
    }

    fn end(self) -> Result<(), Silence> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeSeq for &mut Walk {
    type Ok = ();
    type Error = Silence;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Silence> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Silence> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::syntax;

    fn found(sql: &str) -> Vec<String> {
        mentions(&syntax::parse(sql).unwrap())
            .into_iter()
            .map(|mention| match mention {
                Mention::Relation { parts, foreign_key: false } => parts.join("."),
                Mention::Relation { parts, foreign_key: true } => format!("-> {}", parts.join(".")),
                Mention::Routine(parts) => format!("{}()", parts.join(".")),
                Mention::Type { parts, of_column: false } => format!(":{}", parts.join(".")),
                Mention::Type { parts, of_column: true } => format!(":{}%", parts.join(".")),
                Mention::WithQuery(name) => format!("with {name}"),
            })
            .collect()
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        assert_eq!(
            found("CREATE TABLE s.a (x app.mood DEFAULT app.f('lit'), b int REFERENCES b (id), CHECK (g(x) > 1))"),
            ["s.a", ":app.mood", "app.f()", ":pg_catalog.int4", "-> b", "g()"]
        );
        assert_eq!(
            found("CREATE POLICY p ON t USING ((SELECT max(x) FROM u WHERE y::s.z IS NULL) = 1)"),
            ["t", "max()", "u", ":s.z"]
        );
        assert_eq!(
            found("CREATE VIEW v AS WITH w AS (SELECT 1 FROM a) SELECT * FROM w, LATERAL f(1) ORDER BY g()"),
            ["v", "w", "f()", "g()", "a", "with w"]
        );
        assert_eq!(
            found("CREATE FUNCTION f(a t.c%TYPE) RETURNS SETOF r BEGIN ATOMIC SELECT * FROM q; END"),
            [":t.c%", ":r", "q"]
        );
    }
}
