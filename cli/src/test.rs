//! `sx test`: runs the text cases and suites below a path, or blesses the cases.
//!
//! Invariant: the exit code is 0 only if something ran and all of it passed.

mod junit;
mod suite;

use crate::args::TestArgs;
use crate::run::complain;
use crate::{FAILED, SUCCESS, USAGE, files, print};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sx::corpus::{self, Configuration, Trial};
use sx::{Native, Stress};

/// What became of a test.
pub struct Ran {
    /// The file, as the summary shows it.
    pub file: String,
    /// The test's name in the file.
    pub name: String,
    /// How long it took.
    pub time: Duration,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// The tests that were found.
struct Found {
    /// What is cut off the names of files.
    root: PathBuf,
    trials: Vec<Trial>,
    suites: Vec<PathBuf>,
}

/// Runs or blesses what the command line says.
pub fn test(args: &TestArgs) -> u8 {
    let configurations = match configurations(args.config.as_deref()) {
        Ok(configurations) => configurations,
        Err(message) => return complain(&message, USAGE),
    };
    let filter = args.filter.as_deref().unwrap_or("");
    if args.bless {
        return bless(&args.path, filter, &*configurations[0]);
    }
    let found = match find(&args.path, filter, &configurations) {
        Ok(found) => found,
        Err(message) => return complain(&message, FAILED),
    };
    let mut ran = run_trials(&found.trials);
    let mode = args.config.as_deref().and_then(corpus::mode_of);
    match run_suites(&found, filter, mode) {
        Ok(more) => ran.extend(more),
        Err(code) => return code,
    }
    if ran.is_empty() {
        return complain(&format!("no tests under {}", args.path.display()), USAGE);
    }
    conclude(&ran, args.junit.as_deref())
}

/// The configurations named, never none.
fn configurations(only: Option<&str>) -> Result<Vec<Arc<dyn Configuration>>, String> {
    let all = corpus::engine_configurations();
    let names: Vec<String> = all.iter().map(|c| c.name().to_owned()).collect();
    let chosen: Vec<_> = all
        .into_iter()
        .filter(|c| only.is_none_or(|name| c.name() == name))
        .collect();
    if chosen.is_empty() {
        return Err(format!("no such configuration; there are {}", names.join(", ")));
    }
    Ok(chosen)
}

/// The cases and suites below a path.
fn find(path: &Path, filter: &str, configurations: &[Arc<dyn Configuration>]) -> Result<Found, String> {
    let files = files::sources(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let root = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let (mut trials, mut suites) = (Vec::new(), Vec::new());
    for file in files {
        if corpus::holds_a_case(&file) {
            trials.extend(corpus::load(&file, root)?.trials(configurations));
        } else if suite::is_one(&file) || file == path {
            suites.push(file);
        }
    }
    trials.retain(|trial| trial.name.contains(filter));
    let root = root.to_owned();
    Ok(Found { root, trials, suites })
}

fn run_trials(trials: &[Trial]) -> Vec<Ran> {
    let ran = Mutex::new(Vec::new());
    corpus::run_all(trials, &|trial, time, result| {
        if let Err(differences) = result {
            print::text(&format!("FAILED {}\n{differences}\n", trial.name));
        }
        let (file, name) = trial.name.split_once("::").unwrap_or(("", &trial.name));
        let (file, name) = (file.to_owned(), name.to_owned());
        let failure = result.as_ref().err().cloned();
        let one = Ran {
            file,
            name,
            time,
            failure,
        };
        ran.lock().unwrap_or_else(PoisonError::into_inner).push(one);
    });
    let mut ran = ran.into_inner().unwrap_or_else(PoisonError::into_inner);
    ran.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
    ran
}

fn run_suites(found: &Found, filter: &str, mode: Option<(Stress, Native)>) -> Result<Vec<Ran>, u8> {
    let mut ran = Vec::new();
    for path in &found.suites {
        ran.extend(suite::run(path, &found.root, filter, mode)?);
    }
    Ok(ran)
}

/// Writes the results where they are wanted, and the exit code.
fn conclude(ran: &[Ran], junit: Option<&Path>) -> u8 {
    let failed = ran.iter().filter(|one| one.failure.is_some()).count();
    print::text(&format!("{} passed, {failed} failed\n", ran.len() - failed));
    if let Some(path) = junit
        && let Err(error) = std::fs::write(path, junit::report(ran))
    {
        return complain(&format!("{}: {error}", path.display()), FAILED);
    }
    if failed == 0 { SUCCESS } else { FAILED }
}

fn bless(path: &Path, filter: &str, configuration: &dyn Configuration) -> u8 {
    let files = match corpus::collect(path) {
        Ok(files) => files,
        Err(error) => return complain(&format!("{}: {error}", path.display()), FAILED),
    };
    let mut blessed = 0;
    for file in files {
        match corpus::bless(&file, filter, configuration) {
            Ok(count) => blessed += count,
            Err(message) => return complain(&message, FAILED),
        }
    }
    print::text(&format!("{blessed} blessed\n"));
    SUCCESS
}
