//! Case files of a directory, multiplied by configurations into named trials, and a runner for
//! them that uses every processor.
//!
//! Invariant: the order of names and results does not depend on how threads were scheduled.

use super::{Case, CaseFile, Configuration, Outcome, blessed, check, parse};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One case under one configuration.
#[derive(Clone)]
pub struct Trial {
    /// `file::case::configuration`.
    pub name: String,
    /// The case.
    pub case: Arc<Case>,
    /// How it is run.
    pub configuration: Arc<dyn Configuration>,
}

impl Trial {
    /// Runs it; an error is the text for people of what differs.
    pub fn run(&self) -> Result<(), String> {
        let outcome = self.configuration.run(&self.case)?;
        check(&self.case, &outcome).map_err(|differences| format!("{differences}code:\n{}", self.case.code))
    }
}

/// The case files under `path` (a file or a directory), sorted. In a directory a file counts
/// if it holds a case.
pub fn collect(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut directories = vec![path.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?.path();
            if entry.is_dir() {
                directories.push(entry);
            } else if entry.extension().is_some_and(|e| e == "sx" || e == "scm") && holds_a_case(&entry) {
                found.push(entry);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Is it a file of cases?
pub fn holds_a_case(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| line.starts_with(super::parse::OPENING))
}

/// Reads a case file; `root` is cut off the names of its tests.
pub fn load(path: &Path, root: &Path) -> Result<CaseFile, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let shown = path.strip_prefix(root).unwrap_or(path);
    parse(&shown.to_string_lossy().replace('\\', "/"), &text).map_err(|e| e.to_string())
}

impl CaseFile {
    /// Every case under every configuration that does not leave it out.
    pub fn trials(&self, configurations: &[Arc<dyn Configuration>]) -> Vec<Trial> {
        let mut trials = Vec::new();
        for case in &self.cases {
            let shared = Arc::new(case.clone());
            for configuration in configurations {
                let is_skipped = case.skipped.iter().any(|(name, _)| names(name, configuration.name()));
                if !is_skipped && configuration.takes(case) {
                    trials.push(Trial {
                        name: format!("{}::{}::{}", self.path, case.name, configuration.name()),
                        case: Arc::clone(&shared),
                        configuration: Arc::clone(configuration),
                    });
                }
            }
        }
        trials
    }
}

/// Does a `;skip` of `word` mean the configuration? `+mode` means that mode of every tier.
fn names(word: &str, configuration: &str) -> bool {
    word == configuration || word.starts_with('+') && configuration.ends_with(word)
}

/// Runs the cases of the file at `path` whose name holds `filter` and writes what happened into
/// it. Tells how many cases were run, or what kept one from running.
pub fn bless(path: &Path, filter: &str, configuration: &dyn Configuration) -> Result<usize, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let file = parse(&path.to_string_lossy(), &text).map_err(|e| e.to_string())?;
    let run = |case: &Case| -> Result<Option<Outcome>, String> {
        let name = format!("{}::{}", file.path, case.name);
        if !name.contains(filter) {
            return Ok(None);
        }
        let outcome = configuration.run(case).map_err(|e| format!("{name}: {e}"))?;
        Ok(Some(outcome))
    };
    let outcomes = file.cases.iter().map(run).collect::<Result<Vec<_>, String>>()?;
    let after = blessed(&text, &outcomes);
    if after != text {
        std::fs::write(path, after).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(outcomes.iter().flatten().count())
}

/// How a run of trials went.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many passed.
    pub passed: usize,
    /// Name and text of each that failed, in the order of the trials.
    pub failures: Vec<(String, String)>,
}

/// What sees each result as it comes, and how long it took.
type OnResult<'a> = dyn Fn(&Trial, Duration, &Result<(), String>) + Sync + 'a;

/// Runs trials on every processor and reports each result.
pub fn run_all(trials: &[Trial], on_result: &OnResult<'_>) -> Summary {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(trials.len()) {
            scope.spawn(|| {
                while let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = Instant::now();
                    let result = trial.run();
                    on_result(trial, start.elapsed(), &result);
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.push((trial.name.clone(), result));
                }
            });
        }
    });
    let mut summary = Summary::default();
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, result) in results {
        match result {
            Ok(()) => summary.passed += 1,
            Err(text) => summary.failures.push((name, text)),
        }
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its value is the code of the case in upper case.
    struct Shouts;

    impl Configuration for Shouts {
        fn name(&self) -> &str {
            "shouts"
        }
        fn run(&self, case: &Case) -> Result<Outcome, String> {
            Ok(Outcome {
                value: Some(case.code.trim().to_uppercase()),
                ..Outcome::default()
            })
        }
    }

    fn trials(text: &str) -> Vec<Trial> {
        let configurations: Vec<Arc<dyn Configuration>> = vec![Arc::new(Shouts)];
        parse("a.sx", text).expect("reads").trials(&configurations)
    }

    #[test]
    fn trials_are_named_and_counted() {
        let trials = trials(";;;; one\na\n;=> A\n;;;; two\nb\n;=> C\n;;;; three\nc\n;=> X\n;skip shouts why not\n");
        let names: Vec<&str> = trials.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["a.sx::one::shouts", "a.sx::two::shouts"]);
        let summary = run_all(&trials, &|_, _, _| {});
        assert_eq!(summary.passed, 1);
        assert_eq!(summary.failures.len(), 1);
        assert_eq!(summary.failures[0].0, "a.sx::two::shouts");
    }

    #[test]
    fn blessing_writes_the_file() {
        let path = std::env::temp_dir().join(format!("sx-bless-{}.sx", std::process::id()));
        std::fs::write(&path, ";;;; one\na\n\n;;;; two\nb\n").expect("written");
        assert_eq!(bless(&path, "two", &Shouts), Ok(1));
        let text = std::fs::read_to_string(&path).expect("read");
        assert_eq!(text, ";;;; one\na\n\n;;;; two\nb\n;=> B\n");
        std::fs::remove_file(&path).expect("removed");
    }
}
