//! In which order statements load: what is referred to first, then by rank, then as written.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use super::names::{Bond, Names, Reference, Space};

/// The outcome of ordering.
#[derive(Debug, PartialEq, Eq)]
pub enum Order {
    /// Every statement once.
    Sorted(Vec<usize>),
    /// Foreign keys that must leave their CREATE TABLE first: the statement, and the tables they refer to.
    Lift(BTreeMap<usize, BTreeSet<(String, String)>>),
    /// Statements that need each other, each cycle from one of them round to it again.
    Cycles(Vec<Vec<usize>>),
}

/// One statement needs another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    needs: usize,
    bond: Bond,
    /// The table, when the bond is a foreign key.
    table: Option<(String, String)>,
}

/// Orders statements by their names.
pub fn order(statements: &[&Names]) -> Order {
    let mut graph = edges(statements);
    let tangle = tangle(&graph);
    let mut lift: BTreeMap<usize, BTreeSet<(String, String)>> = BTreeMap::new();
    for knot in &tangle {
        for &at in knot {
            for edge in graph[at].iter().filter(|edge| edge.bond == Bond::ForeignKey && knot.contains(&edge.needs))
            {
                lift.entry(at).or_default().extend(edge.table.clone());
            }
        }
    }
    if !lift.is_empty() {
        return Order::Lift(lift);
    }
    // What only looks like a need gives way, where needs go in circles.
    for knot in &tangle {
        for &at in knot {
            graph[at].retain(|edge| edge.bond == Bond::Firm || !knot.contains(&edge.needs));
        }
    }
    let cycles: Vec<Vec<usize>> = self::tangle(&graph).iter().map(|knot| around(&graph, knot)).collect();
    if cycles.is_empty() { Order::Sorted(sort(statements, &graph)) } else { Order::Cycles(cycles) }
}

/// Which statements declare a name.
type Providers<'a> = BTreeMap<(Space, Option<&'a str>, &'a str), Vec<usize>>;

/// Those that declare what is referred to, in the first namespace that has it.
fn find<'a>(providers: &'a Providers<'a>, reference: &'a Reference) -> Option<(&'a Vec<usize>, String)> {
    // A relation's row is a type.
    let spaces: &[Space] = match reference.space {
        Space::Type => &[Space::Type, Space::Relation],
        _ => std::slice::from_ref(&reference.space),
    };
    reference.namespaces.iter().find_map(|namespace| {
        let mut keys = spaces.iter().map(|space| (*space, Some(namespace.as_str()), reference.name.as_str()));
        keys.find_map(|key| providers.get(&key)).map(|found| (found, namespace.clone()))
    })
}

fn edges(statements: &[&Names]) -> Vec<Vec<Edge>> {
    let mut providers = Providers::new();
    for (at, names) in statements.iter().enumerate() {
        for declared in &names.declares {
            let space = declared.class.space();
            let key = (space, declared.namespace.as_deref(), declared.name.as_str());
            let provided = providers.entry(key).or_default();
            // A later CREATE OR REPLACE stands on the first one.
            if provided.is_empty() || space == Space::Routine {
                provided.push(at);
            }
        }
        if let Some((namespace, name)) = &names.key_of {
            providers.entry((Space::Key, namespace.as_deref(), name)).or_default().push(at);
        }
    }
    let edges_of = |(at, names): (usize, &&Names)| {
        let mut edges = Vec::new();
        for reference in &names.refers {
            let Some((found, namespace)) = find(&providers, reference) else { continue };
            for &needs in found.iter().filter(|needs| **needs != at) {
                let table =
                    (reference.bond == Bond::ForeignKey).then(|| (namespace.clone(), reference.name.clone()));
                edges.push(Edge { needs, bond: reference.bond, table });
            }
        }
        for declared in names.declares.iter().filter(|_| names.replaces) {
            let key = (declared.class.space(), declared.namespace.as_deref(), declared.name.as_str());
            let first = providers.get(&key).and_then(|found| found.first()).copied().filter(|first| *first < at);
            edges.extend(first.map(|needs| Edge { needs, bond: Bond::Firm, table: None }));
        }
        edges
    };
    statements.iter().enumerate().map(edges_of).collect()
}

/// Groups of statements that all need each other.
fn tangle(graph: &[Vec<Edge>]) -> Vec<BTreeSet<usize>> {
    let needs: Vec<Vec<usize>> = graph.iter().map(|edges| edges.iter().map(|edge| edge.needs).collect()).collect();
    let mut needed_by = vec![Vec::new(); graph.len()];
    for (at, needs) in needs.iter().enumerate() {
        for &need in needs {
            needed_by[need].push(at);
        }
    }
    // What remains when the ends are taken off from both sides lies on a cycle or between two of them.
    let mut left: BTreeSet<usize> = (0..graph.len()).collect();
    for (ahead, behind) in [(&needs, &needed_by), (&needed_by, &needs)] {
        let mut count: Vec<usize> =
            (0..graph.len()).map(|at| ahead[at].iter().filter(|next| left.contains(next)).count()).collect();
        let mut free: VecDeque<usize> =
            (0..graph.len()).filter(|at| left.contains(at) && count[*at] == 0).collect();
        while let Some(at) = free.pop_front() {
            left.remove(&at);
            for &next in behind[at].iter().filter(|next| left.contains(next)) {
                count[next] -= 1;
                if count[next] == 0 {
                    free.push_back(next);
                }
            }
        }
    }
    let reach = |from: usize, along: &Vec<Vec<usize>>| {
        let mut seen = BTreeSet::new();
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            queue.extend(along[at].iter().copied().filter(|next| left.contains(next) && seen.insert(*next)));
        }
        seen
    };
    let mut knots = Vec::new();
    let mut known: BTreeSet<usize> = BTreeSet::new();
    for at in left.iter().copied().collect::<BTreeSet<_>>() {
        if known.contains(&at) {
            continue;
        }
        let knot: BTreeSet<usize> = reach(at, &needs).intersection(&reach(at, &needed_by)).copied().collect();
        known.extend(&knot);
        if !knot.is_empty() {
            knots.push(knot);
        }
    }
    knots
}

/// The shortest way from the first statement of a knot back to itself.
fn around(graph: &[Vec<Edge>], knot: &BTreeSet<usize>) -> Vec<usize> {
    let Some(&start) = knot.first() else { return Vec::new() };
    let mut from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in graph[at].iter().map(|edge| edge.needs).filter(|next| knot.contains(next)) {
            if next == start {
                let mut way = vec![start];
                let mut back = at;
                while back != start {
                    way.push(back);
                    back = from[&back];
                }
                way.push(start);
                way.reverse();
                return way;
            }
            if let Entry::Vacant(entry) = from.entry(next) {
                entry.insert(at);
                queue.push_back(next);
            }
        }
    }
    knot.iter().copied().collect()
}

fn sort(statements: &[&Names], graph: &[Vec<Edge>]) -> Vec<usize> {
    let mut waits: Vec<BTreeSet<usize>> =
        graph.iter().map(|edges| edges.iter().map(|edge| edge.needs).collect()).collect();
    let mut needed_by = vec![Vec::new(); graph.len()];
    for (at, needs) in waits.iter().enumerate() {
        for &need in needs {
            needed_by[need].push(at);
        }
    }
    let mut ready: BinaryHeap<Reverse<_>> =
        (0..graph.len()).filter(|at| waits[*at].is_empty()).map(|at| Reverse((statements[at].rank, at))).collect();
    let mut sorted = Vec::with_capacity(graph.len());
    while let Some(Reverse((_, at))) = ready.pop() {
        sorted.push(at);
        for &next in &needed_by[at] {
            waits[next].remove(&at);
            if waits[next].is_empty() {
                ready.push(Reverse((statements[next].rank, next)));
            }
        }
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{names, syntax};

    fn ordered(statements: &[&str]) -> Order {
        let path = ["public".to_owned()];
        let names: Vec<Names> =
            statements.iter().map(|sql| names::names(&syntax::parse(sql).unwrap()[0], &path)).collect();
        order(&names.iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_is_needed_comes_first() {
        assert_eq!(
            ordered(&[
                "GRANT SELECT ON v TO PUBLIC",
                "CREATE VIEW v AS SELECT f(a) FROM t",
                "CREATE INDEX i ON t (a)",
                "CREATE TABLE t (a mood REFERENCES u (a))",
                "ALTER TABLE u ADD UNIQUE (a)",
                "CREATE TABLE u (a mood)",
                "CREATE TYPE mood AS ENUM ('x')",
                "CREATE FUNCTION f(m mood) RETURNS int LANGUAGE sql AS ''",
            ]),
            Order::Sorted(vec![6, 7, 5, 4, 3, 2, 1, 0])
        );
    }

    #[test]
    fn a_constraint_follows_its_index_and_a_foreign_key_the_attached_one() {
        assert_eq!(
            ordered(&[
                "ALTER TABLE u ADD FOREIGN KEY (a) REFERENCES t",
                "ALTER INDEX t_pkey ATTACH PARTITION p_pkey",
                "ALTER TABLE ONLY t ADD CONSTRAINT t_pkey PRIMARY KEY (a)",
                "ALTER TABLE ONLY p ADD CONSTRAINT p_pkey PRIMARY KEY USING INDEX p_index",
                "CREATE UNIQUE INDEX p_index ON p (a)",
                "ALTER TABLE ONLY t ATTACH PARTITION p DEFAULT",
                "CREATE TABLE p (a int)",
                "CREATE TABLE t (a int) PARTITION BY LIST (a)",
                "CREATE TABLE u (a int)",
            ]),
            Order::Sorted(vec![6, 7, 8, 5, 2, 4, 3, 1, 0])
        );
    }

    #[test]
    fn foreign_keys_leave_a_cycle() {
        let lifted = BTreeSet::from([("public".to_owned(), "b".to_owned())]);
        let other = BTreeSet::from([("public".to_owned(), "a".to_owned())]);
        assert_eq!(
            ordered(&[
                "CREATE TABLE a (id int PRIMARY KEY REFERENCES b, c int REFERENCES c, me int REFERENCES a)",
                "CREATE TABLE b (id int PRIMARY KEY REFERENCES a)",
                "CREATE TABLE c (id int PRIMARY KEY)",
            ]),
            Order::Lift(BTreeMap::from([(0, lifted), (1, other)]))
        );
    }

    #[test]
    fn views_in_a_circle_are_found() {
        assert_eq!(
            ordered(&[
                "CREATE VIEW z AS SELECT * FROM a",
                "CREATE VIEW a AS SELECT * FROM b",
                "CREATE VIEW b AS SELECT * FROM c",
                "CREATE VIEW c AS SELECT * FROM a",
            ]),
            Order::Cycles(vec![vec![1, 2, 3, 1]])
        );
    }

    #[test]
    fn a_namesake_is_no_need() {
        assert_eq!(
            ordered(&[
                "CREATE VIEW a AS WITH b AS (SELECT 1) SELECT * FROM b",
                "CREATE VIEW b AS SELECT * FROM a",
                "CREATE FUNCTION f(x int) RETURNS int RETURN f('', x)",
                "CREATE FUNCTION f(y text, x int) RETURNS int RETURN f(x)",
            ]),
            Order::Sorted(vec![2, 3, 0, 1])
        );
    }

    #[test]
    fn a_replacement_follows_what_it_replaces() {
        assert_eq!(
            ordered(&[
                "CREATE VIEW v AS SELECT NULL::int AS a",
                "CREATE FUNCTION f(v v) RETURNS int LANGUAGE sql AS ''",
                "CREATE OR REPLACE VIEW v AS SELECT f(NULL) AS a",
            ]),
            Order::Sorted(vec![0, 1, 2])
        );
    }
}
