//! The suites of the libraries, `lib/NAME/tests/*.sx`, each a test named
//! `lib/NAME/tests/file.sx::configuration`.
//!
//! Run under the plain interpreter, native code and one stress mode, which another commit chooses
//! anew; `SX_TEST_CONFIGS` names others (comma-separated), `all` every one. `SX_TEST_SLOWDOWN`
//! multiplies time limits.

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use sx::corpus::{Configuration, engine_configurations, suites};

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let configurations = configurations(&root)?;
    let mut trials = vec![];
    for suite in suites(&root, &root.join("lib"))? {
        for configuration in &configurations {
            let name = format!("{}::{}", suite.source.name, configuration.name());
            let (suite, configuration) = (suite.clone(), configuration.clone());
            trials.push(Trial::test(name, move || {
                suite.run(&*configuration).map_err(Failed::from)
            }));
        }
    }
    Ok(trials)
}

/// Those that are named, or those without stress and one that the commit chooses.
fn configurations(root: &Path) -> Result<Vec<Arc<dyn Configuration>>, String> {
    let all = engine_configurations();
    if std::env::var("SX_TEST_CONFIGS").is_ok_and(|names| names == "all") {
        return Ok(all);
    }
    if let Some(chosen) = sx_tests::chosen(&all)? {
        return Ok(chosen);
    }
    let is_stress = |configuration: &Arc<dyn Configuration>| configuration.name().contains('+');
    let (mut stress, mut chosen): (Vec<_>, Vec<_>) = all.into_iter().partition(is_stress);
    if !stress.is_empty() {
        let number = commit(root).bytes().map(usize::from).sum::<usize>();
        chosen.push(stress.swap_remove(number % stress.len()));
    }
    Ok(chosen)
}

/// The commit at hand; empty where there is none.
fn commit(root: &Path) -> String {
    let asked = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(root)
        .output();
    asked.map_or_else(
        |_| String::new(),
        |out| String::from_utf8_lossy(&out.stdout).into_owned(),
    )
}
