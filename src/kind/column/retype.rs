//! What `ALTER COLUMN … TYPE` does to rows: whether it writes them anew, whether it can fail or lose something, and
//! whether the server has to be told how to convert. Types are compared as `format_type` prints them.

use std::collections::BTreeSet;

use crate::kind::column::Column;
use crate::kind::domain;
use crate::schema::Sides;

/// The effect of a change of type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retype {
    /// Every row is written anew, and so are the indexes.
    pub rewrites: bool,
    /// Some values of the old type don't fit the new one.
    pub narrows: bool,
    /// Expressions and foreign keys that hold for the old type may not even parse for the new one.
    pub crosses: bool,
    /// The operators that compare values of the old type compare those of the new one.
    pub compares_alike: bool,
    pub conversion: Conversion,
}

/// How the server makes a value of the new type of one of the old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversion {
    /// As an assignment does.
    Assigned,
    /// By this expression, for USING.
    Cast(String),
    /// Not at all: no cast leads there.
    Unknown,
}

impl Conversion {
    pub fn using(&self) -> Option<&str> {
        match self {
            Conversion::Cast(expression) => Some(expression),
            Conversion::Assigned | Conversion::Unknown => None,
        }
    }
}

pub fn retype(old: &Column, new: &Column, sides: &Sides<'_>) -> Retype {
    if old.data_type == new.data_type {
        // A collation alone: indexes are built again, rows stay.
        return Retype { rewrites: false, narrows: false, crosses: false, compares_alike: true, conversion: Conversion::Assigned };
    }
    // A domain is stored as its base, and assigned to as that.
    let (before, after) = (domain::base(sides.old, &old.data_type), domain::base(sides.new, &new.data_type));
    let constrained = domain::constrains(sides.new, &new.data_type);
    let (from, to) = (Type::parse(before), Type::parse(after));
    let conversion = match from.conversion(&to, &sides.facts.casts) {
        Way::Assigned => Conversion::Assigned,
        Way::Direct => Conversion::Cast(format!("{}::{}", old.name, new.data_type)),
        Way::ByText => Conversion::Cast(format!("{}::text::{}", old.name, new.data_type)),
        Way::None => Conversion::Unknown,
    };
    let coerces = from.coerces_to(&to, &sides.facts.coercions);
    Retype {
        rewrites: constrained || !(coerces || from.is_stored_alike(&to)),
        narrows: constrained || !(coerces || from.fits(&to)),
        crosses: from.is_array != to.is_array
            || (from.base != to.base
                && (from.family() != to.family() || matches!(from.family(), None | Some(Family::Other)))),
        compares_alike: from.compares_as(&to),
        conversion,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Assigned,
    Direct,
    ByText,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    String,
    Number,
    Date,
    Time,
    Json,
    Network,
    Bits,
    Other,
}

/// A type as printed, taken apart: `character varying(20)[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Type<'a> {
    /// Without modifiers and brackets: `timestamp without time zone`.
    base: String,
    modifiers: Vec<i32>,
    is_array: bool,
    text: &'a str,
}

impl<'a> Type<'a> {
    fn parse(text: &'a str) -> Type<'a> {
        let is_array = text.ends_with("[]");
        let element = text.trim_end_matches("[]");
        // Quotes and dots are in the names of types that others made; their modifiers are theirs alone.
        let parts = (!element.contains(['"', '.'])).then(|| element.split_once('(')).flatten();
        let (base, modifiers) = match parts.and_then(|(head, rest)| Some((head, rest.split_once(')')?))) {
            Some((head, (inside, tail))) => {
                let modifiers = inside.split(',').filter_map(|it| it.trim().parse().ok()).collect();
                (format!("{head}{tail}"), modifiers)
            }
            None => (element.to_owned(), vec![]),
        };
        Type { base, modifiers, is_array, text }
    }

    /// None for types that are not the server's own.
    fn family(&self) -> Option<Family> {
        Some(match self.base.as_str() {
            "text" | "character varying" | "character" | "bpchar" | "name" => Family::String,
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => Family::Number,
            "date" | "timestamp without time zone" | "timestamp with time zone" => Family::Date,
            "time without time zone" | "time with time zone" => Family::Time,
            "json" | "jsonb" => Family::Json,
            "cidr" | "inet" => Family::Network,
            "bit" | "bit varying" => Family::Bits,
            other if other.contains(['"', '.']) => return None,
            _ => Family::Other,
        })
    }

    /// A string converts by itself. Between types of the server's own there is a cast or there is none, and what others
    /// made goes by its own casts, else by way of its text.
    fn conversion(&self, to: &Type<'_>, casts: &BTreeSet<(String, String)>) -> Way {
        if self.assigns_to(to) {
            return Way::Assigned;
        }
        let has_cast = self.is_array == to.is_array && casts.contains(&(self.plain(), to.plain()));
        match (self.family(), to.family()) {
            (Some(Family::String), _) => Way::Direct,
            _ if has_cast => Way::Direct,
            // Nobody asked the server.
            (Some(_), Some(_)) if casts.is_empty() || (self.is_array == to.is_array && self.base == to.base) => {
                Way::Direct
            }
            (Some(_), Some(_)) => Way::None,
            _ => Way::ByText,
        }
    }

    /// Whether a cast that others made says that the same bytes are a value of either type (text and citext).
    fn coerces_to(&self, to: &Type<'_>, coercions: &BTreeSet<(String, String)>) -> bool {
        let of_others = self.family().is_none() || to.family().is_none();
        let plain = !self.is_array && !to.is_array && to.modifiers.is_empty();
        of_others && plain && coercions.contains(&(self.plain(), to.plain()))
    }

    /// As `format_type` prints the type without a modifier.
    fn plain(&self) -> String {
        if self.base.starts_with("interval") { "interval".to_owned() } else { self.base.clone() }
    }

    /// Whether pg_cast has an assignment cast. Saying USING as well would lose its checks: an explicit cast to
    /// `varchar(5)` cuts values off in silence.
    fn assigns_to(&self, to: &Type<'_>) -> bool {
        if self.text == to.text {
            return true;
        }
        if self.is_array != to.is_array {
            return to.family() == Some(Family::String) && !to.is_array;
        }
        self.base == to.base
            || (to.family() == Some(Family::String) && !to.is_array)
            || (self.family() == to.family() && !matches!(self.family(), None | Some(Family::Other)))
    }

    /// Whether the same bytes are a value of either type. As the server's planner sees it: a cast that does nothing,
    /// or a length that only grows.
    fn is_stored_alike(&self, to: &Type<'_>) -> bool {
        if self.text == to.text || self.is_array || to.is_array {
            return self.text == to.text;
        }
        match (self.base.as_str(), to.base.as_str()) {
            ("character varying", "character varying")
            | ("bit varying", "bit varying")
            | ("numeric", "numeric")
            | ("timestamp without time zone", "timestamp without time zone")
            | ("timestamp with time zone", "timestamp with time zone")
            | ("time without time zone", "time without time zone")
            | ("time with time zone", "time with time zone") => self.grows_to(to),
            (from, into) if from == into && from.starts_with("interval") => self.grows_to(to),
            ("text" | "character varying", "text" | "character varying" | "bpchar") => to.modifiers.is_empty(),
            ("cidr", "inet") | ("xml", "text") => true,
            ("bit", "bit varying") => to.modifiers.is_empty(),
            ("integer", "oid") | ("oid", "integer") => true,
            _ => false,
        }
    }

    /// Whether the default operator classes of both types are the same, for types that are stored alike.
    fn compares_as(&self, to: &Type<'_>) -> bool {
        let is_text = |it: &Type<'_>| matches!(it.base.as_str(), "text" | "character varying");
        self.base == to.base || (is_text(self) && is_text(to)) || (self.base == "cidr" && to.base == "inet")
    }

    fn grows_to(&self, to: &Type<'_>) -> bool {
        match (self.modifiers.as_slice(), to.modifiers.as_slice()) {
            (_, []) => true,
            ([from], [into]) => from <= into,
            ([from, scale], [into, same]) => from <= into && scale == same,
            _ => false,
        }
    }

    /// Whether every value of this type can be had in the other one without loss.
    fn fits(&self, to: &Type<'_>) -> bool {
        if self.text == to.text {
            return true;
        }
        if self.is_array != to.is_array {
            return to.base == "text" && !to.is_array;
        }
        let open = to.modifiers.is_empty();
        match (self.base.as_str(), to.base.as_str()) {
            ("numeric", "numeric") => match (self.modifiers.as_slice(), to.modifiers.as_slice()) {
                (_, []) => true,
                ([from, a], [into, b]) => a <= b && from - a <= into - b,
                _ => false,
            },
            // A length that values have to meet.
            ("bit", "bit") => false,
            (from, into) if from == into => self.grows_to(to),
            (_, "text" | "character varying" | "bpchar") if open => true,
            ("character varying" | "character", "character varying" | "character") => self.grows_to(to),
            ("smallint", "integer" | "bigint" | "real" | "double precision")
            | ("integer", "bigint" | "double precision" | "oid")
            | ("real", "double precision")
            | ("date" | "timestamp without time zone", "timestamp with time zone")
            | ("date" | "timestamp with time zone", "timestamp without time zone")
            | ("json", "jsonb")
            | ("jsonb", "json")
            | ("cidr", "inet") => open,
            ("smallint" | "integer" | "bigint", "numeric") => open,
            ("bit", "bit varying") => self.grows_to(to),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_change_of_type_does_is_known_from_the_types() {
        // (from, to, rewrites, narrows, assigns): rewrites as PostgreSQL 15 said at client_min_messages = debug1.
        for (from, to, rewrites, narrows, assigns) in [
            ("character varying(20)", "character varying(30)", false, false, true),
            ("character varying(20)", "text", false, false, true),
            ("character varying(20)", "character varying(5)", true, true, true),
            ("text", "character varying(30)", true, true, true),
            ("numeric(10,2)", "numeric(12,2)", false, false, true),
            ("bit(3)", "bit(5)", true, true, true),
            ("numeric(10,2)", "numeric", false, false, true),
            ("numeric(10,2)", "numeric(13,3)", true, false, true),
            ("numeric(10,2)", "numeric(10,3)", true, true, true),
            ("timestamp(3) without time zone", "timestamp(6) without time zone", false, false, true),
            ("integer", "bigint", true, false, true),
            ("bigint", "integer", true, true, true),
            ("cidr", "inet", false, false, true),
            ("character varying(20)[]", "text[]", true, false, true),
            ("bit varying(5)", "bit varying(10)", false, false, true),
            ("bit(5)", "bit varying", false, false, true),
            ("text", "bpchar", false, false, true),
            ("character(5)", "text", true, false, true),
            ("interval(3)", "interval", false, false, true),
            ("text", "integer", true, true, false),
            ("text", "public.mood", true, true, false),
            ("public.\"a(b\"", "public.mood", true, true, false),
            ("integer", "text", true, false, true),
        ] {
            let (a, b) = (Type::parse(from), Type::parse(to));
            assert_eq!(
                (!a.is_stored_alike(&b), !a.fits(&b), a.assigns_to(&b)),
                (rewrites, narrows, assigns),
                "{from} to {to}"
            );
        }
    }
    #[test]
    fn a_cast_is_there_or_it_is_not() {
        let casts = [("integer", "boolean"), ("public.pairs", "jsonb"), ("interval", "interval")];
        let casts = casts.map(|(from, to)| (from.to_owned(), to.to_owned())).into();
        for (from, to, way) in [
            ("integer", "bigint", Way::Assigned),
            ("integer", "boolean", Way::Direct),
            ("integer[]", "boolean[]", Way::Direct),
            ("integer", "boolean[]", Way::None),
            ("integer", "uuid", Way::None),
            ("tsrange", "tstzrange", Way::None),
            ("interval day to second(3)", "interval(2)", Way::Direct),
            ("text", "uuid", Way::Direct),
            ("text", "public.mood", Way::Direct),
            ("public.pairs", "jsonb", Way::Direct),
            ("public.mood", "public.feeling", Way::ByText),
        ] {
            assert_eq!(Type::parse(from).conversion(&Type::parse(to), &casts), way, "{from} to {to}");
        }
    }
}
