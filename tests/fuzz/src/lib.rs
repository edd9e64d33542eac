//! The fuzzer: programs made at random, run by the oracle and by the machine in every stress mode,
//! compared, and cut down where they differ.
//!
//! Invariant: a seed names a program, and a program and a mode name a run.

pub mod coverage;
#[cfg(feature = "planted-faults")]
pub mod faults;
pub mod generate;
pub mod run;
pub mod sexp;
pub mod shrink;

use coverage::Coverage;
use run::{Library, Mode, Shown};
use sx_oracle::{Oracle, Outcome, TestEdge};
use sx_runtime::fault::Fault;
use sx_runtime::syntax::Language;

/// Steps the oracle may take; a program that needs more is skipped.
const FUEL: u64 = 300_000;
/// Runs that cutting a program down may take.
const SHRINK_RUNS: usize = 3000;

/// The program of a seed as text.
pub fn program_of(seed: u64) -> String {
    sexp::show(&generate::Generator::new(seed).program())
}

/// A difference between oracle and machine.
pub struct Mismatch {
    /// The mode, by name.
    pub mode: (&'static str, Mode),
    /// What differs first.
    pub kind: String,
}

/// Oracle and machine, ready to run programs.
pub struct Fuzzer {
    oracle: Oracle,
    library: Library,
    /// Differences that mention one of these are known and count as none.
    known: Vec<String>,
    /// What to switch on while the machine runs; the oracle, which shares much, stays sound.
    fault: Option<Fault>,
}

impl Fuzzer {
    /// Loads the core library into both.
    pub fn new(known: &[String], fault: Option<Fault>) -> Result<Fuzzer, String> {
        Ok(Fuzzer {
            oracle: Oracle::new()?,
            library: Library::new()?,
            known: known.to_vec(),
            fault,
        })
    }
    /// What the oracle says of a program.
    pub fn oracle(&self, text: &str) -> Outcome {
        self.oracle
            .run(Language::Sx, text, &mut TestEdge::default(), Some(FUEL))
    }
    /// What the machine shows in a mode. A panic is a difference like any other.
    pub fn machine(&self, text: &str, mode: Mode) -> Result<Shown, String> {
        let run = std::panic::AssertUnwindSafe(|| self.library.run(text, mode, self.fault.is_some()));
        plant(self.fault);
        let ran = std::panic::catch_unwind(run).unwrap_or_else(|_| Err("panic".to_owned()));
        plant(None);
        if let (Err(_), Ok(path)) = (&ran, std::env::var("SX_FUZZ_BROKEN")) {
            let _ = std::fs::write(path, format!("{mode:?}\n{text}"));
        }
        ran
    }

    fn differences(&self, outcome: &Outcome, text: &str, mode: Mode) -> (Vec<String>, Option<Shown>) {
        match self.machine(text, mode) {
            Ok(shown) => {
                let found = run::differences(text, outcome, &shown.outcome);
                let is_known = found
                    .iter()
                    .any(|text| self.known.iter().any(|known| text.contains(known)));
                (if is_known { vec![] } else { found }, Some(shown))
            }
            Err(error) => (vec![format!("broken\n  {error}")], None),
        }
    }

    /// Compares the program of a seed in each mode; false if it takes too long to count.
    pub fn check(&self, seed: u64, modes: &[(&'static str, Mode)], coverage: &mut Coverage) -> Result<bool, Mismatch> {
        let text = program_of(seed);
        let outcome = self.oracle(&text);
        if outcome.gave_up {
            return Ok(false);
        }
        for mode in modes {
            let (found, shown) = self.differences(&outcome, &text, mode.1);
            if let Some(first) = found.first() {
                return Err(Mismatch {
                    mode: *mode,
                    kind: kind_of(first).to_owned(),
                });
            }
            if let Some(shown) = shown {
                coverage.add(&outcome, &shown, mode.1);
            }
        }
        Ok(true)
    }

    /// The smallest program found that differs in the same way, and how it differs.
    pub fn shrink(&self, seed: u64, mismatch: &Mismatch) -> String {
        let differs = |text: &str| -> Vec<String> {
            let outcome = self.oracle(text);
            if outcome.gave_up {
                return vec![];
            }
            self.differences(&outcome, text, mismatch.mode.1).0
        };
        let forms = generate::Generator::new(seed).program();
        let smallest = shrink::shrink(forms, SHRINK_RUNS, |forms| {
            differs(&sexp::show(forms))
                .first()
                .is_some_and(|first| kind_of(first) == mismatch.kind)
        });
        let text = sexp::show(&smallest);
        format!("{text}{}", differs(&text).join("\n"))
    }
}

#[cfg(feature = "planted-faults")]
fn plant(fault: Option<Fault>) {
    sx_runtime::fault::plant(fault);
}

#[cfg(not(feature = "planted-faults"))]
fn plant(_: Option<Fault>) {}

fn kind_of(difference: &str) -> &str {
    difference.lines().next().unwrap_or_default()
}
