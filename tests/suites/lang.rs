//! The text corpus: every case of `tests/lang`, of the examples of functions and primitives and of the
//! regression matrix under every configuration, each a test named `lang/file.sx::case::configuration`.
//!
//! `SX_TEST_CONFIGS` names the configurations to run (comma-separated, default all);
//! `SX_TEST_SLOWDOWN` multiplies time limits, for emulated machines.

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use sx::corpus::{self, Aspect, Case, CaseFile, Expectation};

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(message) => {
            eprintln!("{message}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn trials() -> Result<Vec<Trial>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = sx_tests::configurations();
    let configurations = sx_tests::chosen(&all)?.unwrap_or(all);
    let paths = corpus::collect(&root.join("lang")).map_err(|e| format!("tests/lang: {e}"))?;
    let mut files = sx_tests::examples::case_files().map_err(|e| format!("lib/core: {e}"))?;
    files.push(sx_tests::examples::primitives());
    files.extend(sx_tests::matrix::case_files());
    for path in paths {
        files.push(corpus::load(&path, root)?);
    }
    print_count(&files);
    let trials = files.iter().flat_map(|file| file.trials(&configurations));
    let as_test = |trial: corpus::Trial| {
        let name = trial.name.clone();
        Trial::test(name, move || trial.run().map_err(Failed::from))
    };
    Ok(trials.map(as_test).collect())
}

/// How many checks of the report on Scheme there are: a case whose value is a number counts them
/// itself, any other has one for each line it expects.
fn print_count(files: &[CaseFile]) {
    let report = files.iter().filter(|file| file.path.starts_with("lang/r7rs/"));
    let cases: Vec<&Case> = report.flat_map(|file| &file.cases).collect();
    let checks: usize = cases.iter().map(|case| checks(case)).sum();
    println!("R7RS: {checks} checks in {} cases", cases.len());
}

fn checks(case: &Case) -> usize {
    let counts = |e: &Expectation| e.aspect == Aspect::Value && case.expected.len() == 1;
    let count = case
        .expected
        .iter()
        .filter(|e| counts(e))
        .find_map(|e| e.text.parse().ok());
    count.unwrap_or(case.expected.len())
}
