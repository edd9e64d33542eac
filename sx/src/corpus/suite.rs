//! Suites as the project's own tests run them: a program with `deftest` forms, evaluated in a
//! simulated world whose disk holds the files it may load, then its tests one after the other.
//!
//! Deliberately absent: the command line, whose `sx test` runs suites in the world as it is.
//!
//! Invariant: a suite that keeps no test fails.

use super::{Configuration, engine};
use crate::{Error, Isolate, Simulation, Source, Style, report};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The forms that make a program a suite.
const FORMS: &[&str] = &["(deftest ", "(defsuite "];
/// How long a suite may run unless a line `;time seconds` says otherwise.
const TIME_LIMIT: Duration = Duration::from_secs(120);
const TIME: &str = ";time ";

/// A program whose `deftest` forms are tests.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The text, under the name it has among the tests.
    pub source: Arc<Source>,
    /// Names and texts of the files there are while it runs.
    pub files: Arc<Vec<(String, String)>>,
}

/// Is the program a suite? A line of one begins with a test or a suite.
pub fn is_suite(text: &str) -> bool {
    text.lines()
        .any(|line| FORMS.iter().any(|form| line.trim_start().starts_with(form)))
}

impl Suite {
    /// Runs all tests under a configuration; what failed, as text.
    pub fn run(&self, configuration: &dyn Configuration) -> Result<(), String> {
        let world = Simulation::new(1);
        for (name, text) in &*self.files {
            world.write_file(name, text);
        }
        let isolate = configuration.isolate(super::MEMORY_LIMIT, &world);
        let isolate = isolate.ok_or_else(|| format!("{} runs no suites", configuration.name()))?;
        let mut isolate = isolate.map_err(|error| error.to_string())?;
        engine::serve_test_ops(&mut isolate);
        let limit = self.time_limit()? * engine::slowdown();
        let handle = isolate.interrupt_handle();
        let failures = engine::within(limit, &handle, &self.source.name, || self.failures(&mut isolate));
        let printed = [world.take_output(), world.take_error_output()].concat();
        match failures {
            failures if failures.is_empty() => Ok(()),
            failures => Err(format!("{}\n{printed}", failures.join("\n"))),
        }
    }

    fn failures(&self, isolate: &mut Isolate) -> Vec<String> {
        let shown = |name: &str, error: &Error| format!("FAILED {name}\n{}", report(error, Style::Plain));
        let names = isolate
            .eval_source(self.source.clone())
            .and_then(|_| isolate.test_names());
        let names = match names {
            Ok(names) if names.is_empty() => return vec!["the suite keeps no test".to_owned()],
            Ok(names) => names,
            Err(error) => return vec![shown("(loading)", &error)],
        };
        let mut failures = vec![];
        for (index, name) in names.iter().enumerate() {
            if let Err(error) = isolate.run_test(index) {
                failures.push(shown(name, &error));
                if error.is_interrupt() {
                    break;
                }
            }
        }
        failures
    }

    fn time_limit(&self) -> Result<Duration, String> {
        let Some(said) = self.source.text.lines().find_map(|line| line.strip_prefix(TIME)) else {
            return Ok(TIME_LIMIT);
        };
        let seconds = said.trim().parse();
        seconds
            .map(Duration::from_secs)
            .map_err(|_| format!("{}: `{TIME}` wants a number of seconds, got `{said}`", self.source.name))
    }
}

/// The suites below `folder` and what they may load there, every file named by its path from `root` on.
pub fn suites(root: &Path, folder: &Path) -> Result<Vec<Suite>, String> {
    let mut files = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in std::fs::read_dir(&folder).map_err(wrong)? {
            let path = entry.map_err(wrong)?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                // What is no text cannot be loaded either.
                let Ok(text) = std::fs::read_to_string(&path) else {
                    continue;
                };
                let parts = path.strip_prefix(root).unwrap_or(&path).components();
                let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
                files.push((parts.join("/"), text));
            }
        }
    }
    files.sort();
    let files = Arc::new(files);
    // What a suite loads is a part of it, even if it says what its tests are.
    let is_part = |name: &str| {
        let load = format!("(load \"{name}\")");
        files.iter().any(|(_, text)| text.contains(&load))
    };
    let program = |(name, text): &&(String, String)| name.ends_with(".sx") && is_suite(text) && !is_part(name);
    let suite = |(name, text): &(String, String)| Suite {
        source: Source::new(name.as_str(), text.as_str()),
        files: files.clone(),
    };
    Ok(files.iter().filter(program).map(suite).collect())
}
