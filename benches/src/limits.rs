//! The bounds of the goals that one table can decide, each with its figure and verdict.
//!
//! Invariant: a bound without the figures it needs has no verdict, rather than a good one.

use crate::report::{Table, mebibytes, seconds, times};
use crate::rows::START_UP;

/// One bound, applied.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    /// What must hold.
    pub bound: String,
    /// What was measured.
    pub figure: String,
    /// Does it hold?
    pub holds: bool,
}

/// Interpreter alone against Lua 5.4, on rows where Lua takes at least `LUA_COUNTS_S` a repetition.
const INTERPRETER_RATIO: f64 = 1.5;
const LUA_COUNTS_S: f64 = 0.05;
/// The same against Guile, on rows where strings, ports and tables do the work.
const GUILE_RATIO: f64 = 2.0;
const GUILE_ROWS: [&str; 3] = ["wordcount", "strbuild", "tc"];
const START_UP_S: f64 = 0.02;
const MEMORY_RATIO: f64 = 2.0;
const DEPTH_RATIO: f64 = 1.5;
/// The deep rows make as many captures as the rows they are compared with.
const DEPTH_PAIRS: [(&str, &str); 2] = [("ctak10", "ctak"), ("treegen10", "treegen")];

/// Every bound this table has the figures for.
pub fn verdicts(table: &Table) -> Vec<Verdict> {
    let mut found = Vec::new();
    found.extend(start_up(table));
    found.extend(
        table
            .lines
            .iter()
            .filter_map(|line| against_lua(table, line.row.name, line.count)),
    );
    found.extend(GUILE_ROWS.iter().filter_map(|row| against_guile(table, row)));
    found.extend(table.lines.iter().filter_map(|line| must(table, line.row)));
    found.extend(
        table
            .lines
            .iter()
            .filter_map(|line| operation(table, line.row, line.count)),
    );
    found.extend(memory(table));
    found.extend(DEPTH_PAIRS.iter().filter_map(|(deep, flat)| depth(table, deep, flat)));
    found
}

fn start_up(table: &Table) -> Option<Verdict> {
    let s = table.figures(START_UP, "sx")?.net_s;
    Some(Verdict {
        bound: format!("start-up ≤ {START_UP_S} s"),
        figure: seconds(s),
        holds: s <= START_UP_S,
    })
}

fn against_lua(table: &Table, row: &str, count: u32) -> Option<Verdict> {
    let lua = table.figures(row, "lua")?.net_s / f64::from(count);
    if row == START_UP || lua < LUA_COUNTS_S {
        return None;
    }
    let ratio = interpreter_ratio(table, row, "lua")?;
    let bound = format!("{row}: interpreter ≤ {INTERPRETER_RATIO} × Lua 5.4");
    Some(Verdict {
        bound,
        figure: times(ratio),
        holds: ratio <= INTERPRETER_RATIO,
    })
}

fn against_guile(table: &Table, row: &str) -> Option<Verdict> {
    let ratio = interpreter_ratio(table, row, "guile")?;
    Some(Verdict {
        bound: format!("{row}: interpreter ≤ {GUILE_RATIO} × Guile"),
        figure: times(ratio),
        holds: ratio <= GUILE_RATIO,
    })
}

/// CPU of SX without its native tier over that of `peer`.
fn interpreter_ratio(table: &Table, row: &str, peer: &str) -> Option<f64> {
    crate::report::ratio(
        table.figures(row, "interpreter")?.net_s,
        table.figures(row, peer)?.net_s,
    )
}

fn must(table: &Table, row: &crate::rows::Row) -> Option<Verdict> {
    let (most, peer) = row.must?;
    let ratio = table.ratio(row.name, peer)?;
    Some(Verdict {
        bound: format!("{}: ≤ {most} × {peer}", row.name),
        figure: times(ratio),
        holds: ratio <= most,
    })
}

fn operation(table: &Table, row: &crate::rows::Row, count: u32) -> Option<Verdict> {
    let (operations, ns_max) = row.operations?;
    let ns = table.figures(row.name, "sx")?.net_s * 1e9 / (operations * f64::from(count));
    Some(Verdict {
        bound: format!("{}: an operation ≤ {ns_max} ns", row.name),
        figure: format!("{ns:.1} ns"),
        holds: ns <= ns_max,
    })
}

fn memory(table: &Table) -> Option<Verdict> {
    let (ours, theirs) = (
        table.figures("bintrees", "sx")?.peak_bytes,
        table.figures("bintrees", "node")?.peak_bytes,
    );
    let holds = ours as f64 <= MEMORY_RATIO * theirs as f64;
    let figure = format!("{} to {} MB", mebibytes(ours), mebibytes(theirs));
    Some(Verdict {
        bound: format!("bintrees: peak memory ≤ {MEMORY_RATIO} × Node's"),
        figure,
        holds,
    })
}

fn depth(table: &Table, deep: &str, flat: &str) -> Option<Verdict> {
    let per_repetition = |row: &str| {
        let count = table.lines.iter().find(|line| line.row.name == row)?.count;
        Some(table.figures(row, "sx")?.net_s / f64::from(count))
    };
    let ratio = crate::report::ratio(per_repetition(deep)?, per_repetition(flat)?)?;
    let bound = format!("{deep}: a capture ≤ {DEPTH_RATIO} × one of {flat}");
    Some(Verdict {
        bound,
        figure: times(ratio),
        holds: ratio <= DEPTH_RATIO,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Cell;
    use crate::report::tests::{measured, table};

    /// SX, with and without native code alike, Lua, Node.
    fn line(sx_s: f64, sx_mb: u64, lua_s: f64, node_s: f64, node_mb: u64) -> Vec<Cell> {
        vec![
            measured(sx_s, sx_mb),
            measured(lua_s, 2),
            measured(node_s, node_mb),
            measured(sx_s, sx_mb),
        ]
    }

    fn alone(sx_s: f64) -> Vec<Cell> {
        vec![measured(sx_s, 5), Cell::Absent, Cell::Absent, Cell::Absent]
    }

    #[test]
    fn bounds_hold_or_not() {
        let mut table = table(vec![
            ("hello", line(0.03, 5, 0.001, 0.03, 40)),
            ("fib", line(1.4, 5, 1.0, 0.3, 40)),
            ("ack", line(0.2, 5, 0.04, 0.3, 40)),
            ("bintrees", line(1.0, 300, 1.0, 1.0, 100)),
            ("ctak", alone(0.5)),
            ("perform", alone(0.08)),
            ("ctak10", alone(0.6)),
        ]);
        table.systems.push(("interpreter", "SX interpreter", "sx 1".into()));
        let found = verdicts(&table);
        let holds = |start: &str| found.iter().find(|v| v.bound.starts_with(start)).map(|v| v.holds);
        assert_eq!(holds("start-up"), Some(false));
        assert_eq!(holds("fib: interpreter"), Some(true));
        assert_eq!(holds("ack: interpreter"), None, "too short on Lua to count");
        assert_eq!(holds("bintrees: peak"), Some(false));
        assert_eq!(holds("perform"), Some(false), "40 ns");
        assert_eq!(holds("ctak10"), Some(true));
    }
}
