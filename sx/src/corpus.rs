//! Text cases: code with its expectation in the same file, run under several configurations
//! (tiers and stress modes). `sx test` and the project's own tests are both this.
//!
//! The format of a case file is in `docs/testing.md`. Here are the cases and what running one
//! observes; how a configuration runs code is behind `Configuration`, so that an implementation
//! this crate does not know (the oracle) takes part.
//!
//! Invariant: a case sees nothing of another case, nor of the machine it runs on.

mod bless;
mod check;
mod engine;

mod parse;
mod run;
mod suite;

pub use bless::blessed;
pub use check::check;
pub use engine::{engine_configurations, mode_of};
pub use parse::{ParseError, parse};
pub use run::{Summary, Trial, bless, collect, holds_a_case, load, run_all};
pub use suite::{Suite, is_suite, suites};

use crate::{Error, Isolate, Simulation};
use std::time::Duration;
use sx_runtime::syntax::Language;

/// How long a case may run unless it says otherwise.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// How large a case's heap may grow unless it says otherwise.
pub const MEMORY_LIMIT: usize = 512 << 20;

/// A file of cases.
#[derive(Clone, Debug)]
pub struct CaseFile {
    /// The path as test names show it.
    pub path: String,
    /// The cases in order.
    pub cases: Vec<Case>,
}

/// Code and what it should do.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name, unique in its file.
    pub name: String,
    /// The code; its first line is line 1 of the places in errors.
    pub code: String,
    /// What it is written in.
    pub language: Language,
    /// The line of the file (from 1) on which the code begins.
    pub line: usize,
    /// What is expected, in the order written.
    pub expected: Vec<Expectation>,
    /// Configurations that leave the case out, with the reason.
    pub skipped: Vec<(String, String)>,
    /// How long the case may run.
    pub time_limit: Duration,
    /// Most bytes its heap may take.
    pub memory_limit: usize,
}

/// One kind of thing a run shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// What the last form's value prints as.
    Value,
    /// What went to standard output.
    Output,
    /// What went to standard error.
    ErrorOutput,
    /// The effects that reached the host, in order.
    Effects,
    /// The message of the error that ended the run.
    Error,
    /// Where that error was.
    Place,
}

/// Each aspect and the mark its lines begin with, in the order they are written.
pub const MARKS: &[(Aspect, &str)] = &[
    (Aspect::Output, ";out|"),
    (Aspect::ErrorOutput, ";err|"),
    (Aspect::Effects, ";fx|"),
    (Aspect::Value, ";=>"),
    (Aspect::Error, ";!!"),
    (Aspect::Place, ";@"),
];

/// One expected line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What it is about.
    pub aspect: Aspect,
    /// The line without its mark.
    pub text: String,
}

/// What a run of a case showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the last form's value prints as, unless the run ended in an error.
    pub value: Option<String>,
    /// What went to standard output.
    pub output: String,
    /// What went to standard error.
    pub error_output: String,
    /// The effects that reached the host, each as `op args…`.
    pub effects: Vec<String>,
    /// The message of the error that ended the run.
    pub error: Option<String>,
    /// Its place, `line:col` in the case or `file:line:col` elsewhere.
    pub place: Option<String>,
}

impl Outcome {
    /// The lines of one aspect.
    pub fn lines(&self, aspect: Aspect) -> Vec<String> {
        fn split(text: &str) -> Vec<String> {
            text.lines().map(str::to_owned).collect()
        }
        match aspect {
            Aspect::Value => self.value.as_deref().map(split).unwrap_or_default(),
            Aspect::Output => split(&self.output),
            Aspect::ErrorOutput => split(&self.error_output),
            Aspect::Effects => self.effects.clone(),
            Aspect::Error => self.error.as_deref().map(split).unwrap_or_default(),
            Aspect::Place => self.place.as_deref().map(split).unwrap_or_default(),
        }
    }
}

/// A way to run a case: a tier or a stress mode.
pub trait Configuration: Send + Sync {
    /// The name in test names.
    fn name(&self) -> &str;
    /// Can it run the case at all? What it cannot run is left out.
    fn takes(&self, _case: &Case) -> bool {
        true
    }
    /// Runs the case afresh. A run that takes longer than the case's time limit is ended and is
    /// an `Err` saying so, as is anything that keeps the case from running at all.
    fn run(&self, case: &Case) -> Result<Outcome, String>;
    /// An isolate that runs this way, for programs that are no cases; `None` if it has none.
    fn isolate(&self, _memory_limit: usize, _world: &Simulation) -> Option<Result<Isolate, Error>> {
        None
    }
}
