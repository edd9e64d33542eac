//! Suites: programs whose `deftest` and `defsuite` forms keep tests. The program is evaluated, then
//! its tests are run one after the other in the same isolate.
//!
//! Invariant: a test that fails is reported like any error of a program, with its place.

use super::Ran;
use crate::files::read_source;
use crate::run::complain;
use crate::session::Session;
use crate::{FAILED, INTERRUPTED, USAGE, print};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sx::corpus::is_suite;
use sx::{Error, Native, Source, Stress, Style};

/// What a suite that cannot be evaluated is called among the tests.
const LOADING: &str = "(loading)";

/// Is the file a suite?
pub fn is_one(path: &Path) -> bool {
    is_suite(&std::fs::read_to_string(path).unwrap_or_default())
}

/// Runs the tests of a file whose name holds `filter`, `root` being cut off the file's; the exit
/// code when that cannot go on.
pub fn run(path: &Path, root: &Path, filter: &str, mode: Option<(Stress, Native)>) -> Result<Vec<Ran>, u8> {
    let source = read_source(path).map_err(|message| complain(&message, FAILED))?;
    let arguments = [path.display().to_string()];
    let session = match mode {
        Some(mode) => Session::in_mode(&arguments, mode),
        None => Session::start(&arguments),
    }
    .map_err(|message| complain(&message, USAGE))?;
    let mut suite = Suite {
        file: path.strip_prefix(root).unwrap_or(path).display().to_string(),
        session,
        ran: Vec::new(),
    };
    suite.run_all(source, filter)?;
    Ok(suite.ran)
}

struct Suite {
    file: String,
    session: Session,
    ran: Vec<Ran>,
}

impl Suite {
    fn run_all(&mut self, source: Arc<Source>, filter: &str) -> Result<(), u8> {
        let start = Instant::now();
        let names = self.session.run(|isolate| {
            isolate.eval_source(source)?;
            isolate.test_names()
        });
        let names = match names {
            Ok(names) => names,
            Err(error) => return self.note(LOADING, start.elapsed(), Err(error)),
        };
        for (index, name) in names.iter().enumerate() {
            if format!("{}::{name}", self.file).contains(filter) {
                let start = Instant::now();
                let result = self.session.run(|isolate| isolate.run_test(index));
                self.note(name, start.elapsed(), result)?;
            }
        }
        Ok(())
    }

    /// Keeps a result and prints it if it is bad.
    fn note(&mut self, name: &str, time: Duration, result: Result<(), Error>) -> Result<(), u8> {
        if let Err(error) = &result {
            print::text(&format!("FAILED {}::{name}\n", self.file));
            print::error(error);
            if error.is_interrupt() {
                return Err(INTERRUPTED);
            }
        }
        self.ran.push(Ran {
            file: self.file.clone(),
            name: name.to_owned(),
            time,
            failure: result.err().map(|error| sx::report(&error, Style::Plain)),
        });
        Ok(())
    }
}
