//! What a set of runs went through.

use crate::run::{MODES, Shown};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use sx_oracle::Outcome;
use sx_runtime::ops::OPS;
use sx_runtime::prims;

/// Counts over many programs.
#[derive(Default)]
pub struct Coverage {
    ops: BTreeMap<(&'static str, &'static str), u64>,
    called: BTreeMap<(&'static str, &'static str), u64>,
    captured_in: BTreeMap<(String, usize), u64>,
    resumed: [u64; 3],
    collections: BTreeMap<&'static str, (u64, u64)>,
    endings: BTreeMap<&'static str, u64>,
}

impl Coverage {
    /// Adds a program that ran in a mode.
    pub fn add(&mut self, oracle: &Outcome, machine: &Shown, mode: &'static str) {
        for (op, n) in &machine.ops {
            *self.ops.entry((op, mode)).or_default() += n;
        }
        for (name, n) in &oracle.counts.called {
            *self.called.entry((name, mode)).or_default() += n;
        }
        for (place, n) in &oracle.counts.captured_in {
            *self.captured_in.entry(place.clone()).or_default() += n;
        }
        for (sum, n) in self.resumed.iter_mut().zip(oracle.counts.resumed) {
            *sum += n;
        }
        let collections = self.collections.entry(mode).or_default();
        collections.0 += machine.collections.0;
        collections.1 += machine.collections.1;
        *self
            .endings
            .entry(if oracle.error.is_some() { "error" } else { "value" })
            .or_default() += 1;
    }

    /// Adds what another thread counted.
    pub fn merge(&mut self, other: Coverage) {
        for (key, n) in other.ops {
            *self.ops.entry(key).or_default() += n;
        }
        for (key, n) in other.called {
            *self.called.entry(key).or_default() += n;
        }
        for (key, n) in other.captured_in {
            *self.captured_in.entry(key).or_default() += n;
        }
        for (sum, n) in self.resumed.iter_mut().zip(other.resumed) {
            *sum += n;
        }
        for (mode, (minor, full)) in other.collections {
            let sum = self.collections.entry(mode).or_default();
            *sum = (sum.0 + minor, sum.1 + full);
        }
        for (key, n) in other.endings {
            *self.endings.entry(key).or_default() += n;
        }
    }

    /// All of it as text, the empty cells named.
    pub fn report(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "programs by ending: {:?}", self.endings);
        let _ = writeln!(out, "collections (minor, full) by mode: {:?}", self.collections);
        let _ = writeln!(
            out,
            "delimited continuations resumed 0, 1, more times: {:?}",
            self.resumed
        );
        let _ = writeln!(out, "\nop × mode (instructions of functions that were called)");
        table(&mut out, &self.ops, &OPS.iter().map(|op| op.name).collect::<Vec<_>>());
        let public = prims::all().iter().map(|prim| prim.name);
        let mut known: Vec<&'static str> = public.chain(self.called.keys().map(|key| key.0)).collect();
        known.sort_unstable();
        known.dedup();
        let _ = writeln!(out, "\nprimitive and control × mode (calls)");
        table(&mut out, &self.called, &known);
        let _ = writeln!(
            out,
            "\ncaptures inside each core function × how many of them were around"
        );
        let mut names: Vec<&String> = self.captured_in.keys().map(|key| &key.0).collect();
        names.dedup();
        for name in names {
            let cell = |depth| self.captured_in.get(&(name.clone(), depth)).copied().unwrap_or(0);
            let _ = writeln!(out, "  {name:28} 1: {:8}  2: {:8}  3+: {:8}", cell(1), cell(2), cell(3));
        }
        out
    }
}

fn table(out: &mut String, cells: &BTreeMap<(&'static str, &'static str), u64>, known: &[&'static str]) {
    let mut empty = vec![];
    for name in known {
        let row: Vec<String> = MODES
            .iter()
            .filter_map(|mode| Some(format!("{} {}", mode.name, cells.get(&(*name, mode.name))?)))
            .collect();
        if row.is_empty() {
            empty.push(*name);
        } else {
            let _ = writeln!(out, "  {name:28} {}", row.join("  "));
        }
    }
    let _ = writeln!(out, "  never: {}", empty.join(" "));
}
