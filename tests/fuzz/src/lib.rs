//! The fuzzer: programs made at random, run by the oracle and by the machine in every stress mode,
//! compared, and cut down where they differ.
//!
//! Programs run in batches: those of one batch share a machine, which forgets each before the next
//! begins, so that most of a run's time goes into programs and not into new machines. What differs
//! is run again on a machine of its own; if it does not differ there, the report says so.
//!
//! Invariant: a seed names a program; a program, a mode and the programs before it in its batch
//! name a run.

pub mod coverage;
#[cfg(feature = "planted-faults")]
pub mod faults;
pub mod generate;
pub mod run;
pub mod sexp;
pub mod shrink;
mod watch;

use coverage::Coverage;
use run::{Library, MODES, Mode, Runner, Shown};
use sx_oracle::{Oracle, Outcome, TestEdge};
use sx_runtime::fault::Fault;
use sx_runtime::syntax::Language;

/// Programs that share a machine: those whose seeds divided by this are equal.
pub const BATCH: u64 = 50;
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
    /// The mode.
    pub mode: &'static Mode,
    /// What differs first.
    pub kind: String,
    /// Does it differ on a machine of its own too, or only after the programs before it?
    pub alone: bool,
}

/// Oracle and machine, ready to run programs.
pub struct Fuzzer {
    oracle: Oracle,
    library: Library,
    /// The batch under way, and its machines by mode.
    batch: u64,
    runners: Vec<Option<Runner>>,
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
            batch: 0,
            runners: vec![],
            known: known.to_vec(),
            fault,
        })
    }
    /// What the oracle says of a program.
    pub fn oracle(&self, text: &str) -> Outcome {
        self.oracle
            .run(Language::Sx, text, &mut TestEdge::default(), Some(FUEL))
    }
    /// What a machine of its own shows in a mode.
    pub fn machine(&self, text: &str, mode: &Mode) -> Result<Shown, String> {
        self.guarded(text, mode, || {
            self.library.runner(mode)?.run(text, self.fault.is_some())
        })
    }
    /// What the machine of the batch shows in a mode. A machine that panicked is not used again.
    fn machine_of_batch(&mut self, text: &str, at: usize) -> Result<Shown, String> {
        let runner = self.runners[at].take();
        let mut kept = None;
        let ran = self.guarded(text, &MODES[at], || {
            let mut runner = match runner {
                Some(mut used) => used.forget().map(|()| used)?,
                None => self.library.runner(&MODES[at])?,
            };
            let shown = runner.run(text, self.fault.is_some())?;
            kept = Some(runner);
            Ok(shown)
        });
        self.runners[at] = kept;
        ran
    }
    /// Runs something with the fault planted. A panic is a difference like any other.
    fn guarded(&self, text: &str, mode: &Mode, run: impl FnOnce() -> Result<Shown, String>) -> Result<Shown, String> {
        plant(self.fault);
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        plant(None);
        let ran = ran.unwrap_or_else(|_| Err("panic".to_owned()));
        if let (Err(_), Ok(path)) = (&ran, std::env::var("SX_FUZZ_BROKEN")) {
            // Whoever looks for a crash sets it; a file that cannot be written is no difference.
            let _ = std::fs::write(path, format!("{}\n{text}", mode.name));
        }
        ran
    }

    fn differences(&self, outcome: &Outcome, text: &str, shown: &Result<Shown, String>) -> Vec<String> {
        let shown = match shown {
            Ok(shown) => shown,
            Err(error) => return vec![format!("broken\n  {error}")],
        };
        let found = run::differences(text, outcome, &shown.outcome);
        let is_known = found
            .iter()
            .any(|text| self.known.iter().any(|known| text.contains(known)));
        if is_known { vec![] } else { found }
    }

    /// Compares the program of a seed in each mode; false if it takes too long to count.
    pub fn check(&mut self, seed: u64, modes: &[&'static Mode], coverage: &mut Coverage) -> Result<bool, Mismatch> {
        if self.batch != seed / BATCH || self.runners.is_empty() {
            self.batch = seed / BATCH;
            self.runners = MODES.iter().map(|_| None).collect();
        }
        let text = program_of(seed);
        let outcome = self.oracle(&text);
        if outcome.gave_up {
            return Ok(false);
        }
        for (at, mode) in MODES.iter().enumerate() {
            if !modes.iter().any(|chosen| chosen.name == mode.name) {
                continue;
            }
            let shown = self.machine_of_batch(&text, at);
            if let Some(first) = self.differences(&outcome, &text, &shown).first() {
                self.runners[at] = None;
                let alone = self.differences(&outcome, &text, &self.machine(&text, mode));
                return Err(Mismatch {
                    mode,
                    kind: kind_of(alone.first().unwrap_or(first)).to_owned(),
                    alone: !alone.is_empty(),
                });
            }
            if let Ok(shown) = shown {
                coverage.add(&outcome, &shown, mode.name);
            }
        }
        Ok(true)
    }

    /// How oracle and a machine of its own differ over a program in a mode.
    pub fn compare(&self, text: &str, mode: &Mode) -> Vec<String> {
        let outcome = self.oracle(text);
        if outcome.gave_up {
            return vec![];
        }
        self.differences(&outcome, text, &self.machine(text, mode))
    }

    /// The smallest program found that differs in the same way, and how it differs.
    pub fn shrink(&self, seed: u64, mismatch: &Mismatch) -> String {
        let differs = |text: &str| self.compare(text, mismatch.mode);
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
