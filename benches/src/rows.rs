//! The table of workloads: a name, the answer every system must print, and the bound the goals set.
//!
//! Deliberately absent: the programs, which are in `benches/peers`.

/// One workload. Its programs are `benches/peers/<language>/<name>.*`.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// File name without its ending, and name in every table.
    pub name: &'static str,
    /// What it exercises.
    pub about: &'static str,
    /// What each program prints.
    pub answer: &'static str,
    /// Does the Scheme program need `make-gen`?
    pub generator: bool,
    /// The floor the goals set: SX takes at most this many times the CPU of the system named.
    pub must: Option<(f64, &'static str)>,
    /// The system the goals aim to be level with; empty for rows no other system has.
    pub aim: &'static str,
    /// For rows timed by the operation: how many one repetition makes, and the most nanoseconds one may take.
    pub operations: Option<(f64, f64)>,
}

const fn row(
    name: &'static str,
    answer: &'static str,
    must: Option<(f64, &'static str)>,
    aim: &'static str,
    about: &'static str,
) -> Row {
    Row {
        name,
        about,
        answer,
        generator: false,
        must,
        aim,
        operations: None,
    }
}

/// A row where the library does the work: the interpreter is to take at most twice what Guile takes.
const fn library(name: &'static str, answer: &'static str, about: &'static str) -> Row {
    row(name, answer, Some((2.0, "guile")), "node", about)
}

const fn generator(row: Row) -> Row {
    Row { generator: true, ..row }
}

const fn timed(row: Row, operations: f64, ns_max: f64) -> Row {
    Row {
        operations: Some((operations, ns_max)),
        ..row
    }
}

/// The row whose time is start-up alone and is subtracted from the others.
pub const START_UP: &str = "hello";

/// Every row, in the order of the goals; then those no other system has.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(START_UP, "hello", None, "lua", "start-up"),
    row("fib", "9227465", Some((1.7, "chez")), "chez", "calls, fixnums"),
    row("tak", "180", Some((2.0, "chez")), "chez", "calls of three arguments"),
    row("ack", "4093", Some((2.0, "chez")), "chez", "tail calls and deep recursion"),
    row("deriv", "60", Some((2.0, "chez")), "chez", "lists, map with a recursive callback"),
    row("wordcount", "5000 251", Some((1.2, "node")), "luajit", "strings, string tables"),
    row("strbuild", "4889778 399725", Some((1.2, "node")), "chez", "output port, string-ref"),
    row("mandel", "9527902", Some((1.3, "node")), "luajit", "floats in variables"),
    row("nbody", "-169083713", Some((1.5, "node")), "luajit", "floats in vectors"),
    row("closures", "3114464", Some((1.0, "chez")), "luajit", "map, filter, fold with closures"),
    row("bintrees", "14985902", Some((2.0, "chez")), "chez", "allocation and collection"),
    row("tc", "499500 999 879866 15", Some((1.0, "lua")), "luajit", "hash tables of integers"),
    generator(row("gen", "499999500000", Some((1.2, "node")), "luajit", "a million yields")),
    generator(row("treegen", "328261760", Some((2.0, "chez")), "luajit", "yields from 17 frames deep")),
    generator(row("treegen10", "328261760", None, "luajit", "the same from 170 frames deep")),
    row("ctak", "140", Some((2.5, "chez")), "chez", "call/cc, 1.3 million captures"),
    row("ctak10", "140", None, "chez", "the same under 126 more frames"),
    library("strings", "25596291", "split, join, upper case, search, comparison"),
    library("ports", "20000 888890", "a million characters read, written, read by lines"),
    library("tables", "13333333334 50021042", "hash tables by string and by integer, with deletion"),
    library("sort", "71 1073574452 1000002 221958", "a million numbers, by < and by a closure"),
    library("bignum", "67698 93732 734448687", "5000!, the 100,000th Fibonacci number, their digits"),
    library("json", "10411201 120000 12150000", "10 MB of JSON decoded"),
    library("page", "1427858", "a page of 100,000 nodes made and rendered"),
    row("page50", "41270000", Some((3.0, "rust")), "rust", "10,000 pages of 50 escaped items, by hand in Rust"),
    timed(row("perform", "1000000", None, "", "an effect whose handler resumes in tail position"), 1e6, 30.0),
    timed(row("perform-kept", "1000000", None, "", "an effect whose handler keeps the continuation"), 1e6, 100.0),
    timed(row("perform-50", "1000000", None, "", "an effect through fifty handlers of others"), 1e6, 200.0),
];

/// The row of that name.
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::SYSTEMS;

    #[test]
    fn every_bound_names_a_system() {
        for row in ROWS {
            let known = |name: &str| SYSTEMS.iter().any(|system| system.name == name);
            assert!(row.aim.is_empty() || known(row.aim), "{}", row.name);
            assert!(row.must.is_none_or(|(_, peer)| known(peer)), "{}", row.name);
        }
    }

    #[test]
    fn names_are_unique() {
        for row in ROWS {
            assert_eq!(
                ROWS.iter().filter(|other| other.name == row.name).count(),
                1,
                "{}",
                row.name
            );
        }
    }
}
