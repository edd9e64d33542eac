//! `sx test`: runs the text cases below a path under every configuration, or blesses them.

use crate::args::TestArgs;
use crate::run::complain;
use crate::{FAILED, SUCCESS, USAGE, print};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sx::corpus::{self, Configuration, Trial};

/// Runs or blesses what the command line says.
pub fn test(args: &TestArgs) -> u8 {
    let configurations = match configurations(args.config.as_deref()) {
        Ok(configurations) => configurations,
        Err(message) => return complain(&message, USAGE),
    };
    let files = match corpus::collect(&args.path) {
        Ok(files) => files,
        Err(error) => return complain(&format!("{}: {error}", args.path.display()), USAGE),
    };
    let filter = args.filter.as_deref().unwrap_or("");
    if args.bless {
        return bless(&files, filter, &*configurations[0]);
    }
    match trials(&args.path, &files, filter, &configurations) {
        Ok(trials) => run(&trials),
        Err(message) => complain(&message, USAGE),
    }
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

fn trials(
    root: &Path,
    files: &[PathBuf],
    filter: &str,
    configurations: &[Arc<dyn Configuration>],
) -> Result<Vec<Trial>, String> {
    let root = if root.is_dir() {
        root
    } else {
        root.parent().unwrap_or(root)
    };
    let mut trials = Vec::new();
    for file in files {
        trials.extend(corpus::load(file, root)?.trials(configurations));
    }
    trials.retain(|trial| trial.name.contains(filter));
    if trials.is_empty() {
        return Err(format!("no cases under {}", root.display()));
    }
    Ok(trials)
}

fn run(trials: &[Trial]) -> u8 {
    let summary = corpus::run_all(trials, &|trial, result| {
        if let Err(differences) = result {
            print::text(&format!("FAILED {}\n{differences}\n", trial.name));
        }
    });
    print::text(&format!(
        "{} passed, {} failed\n",
        summary.passed,
        summary.failures.len()
    ));
    if summary.failures.is_empty() { SUCCESS } else { FAILED }
}

fn bless(files: &[PathBuf], filter: &str, configuration: &dyn Configuration) -> u8 {
    let mut blessed = 0;
    for file in files {
        match corpus::bless(file, filter, configuration) {
            Ok(count) => blessed += count,
            Err(message) => return complain(&message, FAILED),
        }
    }
    print::text(&format!("{blessed} blessed\n"));
    SUCCESS
}
