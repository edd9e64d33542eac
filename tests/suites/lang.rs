//! The text corpus: every case of `tests/lang`, of the library's docstrings and of the regression
//! matrix under every configuration, each a test named `lang/file.sx::case::configuration`.
//!
//! `SX_TEST_CONFIGS` names the configurations to run (comma-separated, default all);
//! `SX_TEST_SLOWDOWN` multiplies time limits, for emulated machines.

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::sync::Arc;
use sx::corpus::{self, Configuration};

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
    let configurations = chosen(sx_tests::configurations())?;
    let paths = corpus::collect(&root.join("lang")).map_err(|e| format!("tests/lang: {e}"))?;
    let mut files = sx_tests::examples::case_files().map_err(|e| format!("lib/core: {e}"))?;
    files.extend(sx_tests::matrix::case_files());
    for path in paths {
        files.push(corpus::load(&path, root)?);
    }
    let trials = files.iter().flat_map(|file| file.trials(&configurations));
    let as_test = |trial: corpus::Trial| {
        let name = trial.name.clone();
        Trial::test(name, move || trial.run().map_err(Failed::from))
    };
    Ok(trials.map(as_test).collect())
}

/// The configurations `SX_TEST_CONFIGS` names.
fn chosen(all: Vec<Arc<dyn Configuration>>) -> Result<Vec<Arc<dyn Configuration>>, String> {
    let Ok(names) = std::env::var("SX_TEST_CONFIGS") else {
        return Ok(all);
    };
    names
        .split(',')
        .map(|name| {
            let found = all.iter().find(|configuration| configuration.name() == name);
            found
                .cloned()
                .ok_or_else(|| format!("SX_TEST_CONFIGS: no configuration `{name}`"))
        })
        .collect()
}
