//! Runs case files under the oracle alone: `cargo run -p sx-tests --example oracle -- PATH FILTER`.

use std::path::Path;
use std::sync::Arc;
use sx::corpus::{self, Configuration};
use sx_tests::oracle::OracleConfiguration;

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "tests/lang".to_owned());
    let filter = arguments.next().unwrap_or_default();
    let configurations: Vec<Arc<dyn Configuration>> = vec![Arc::new(OracleConfiguration)];
    let mut files = vec![];
    if path == "matrix" {
        files = sx_tests::matrix::case_files();
    } else if path == "examples" {
        files = sx_tests::examples::case_files().map_err(|e| e.to_string())?;
    } else {
        for found in corpus::collect(Path::new(&path)).map_err(|e| format!("{path}: {e}"))? {
            files.push(corpus::load(&found, Path::new("tests"))?);
        }
    }
    let trials: Vec<corpus::Trial> = files.iter().flat_map(|file| file.trials(&configurations)).collect();
    let trials: Vec<corpus::Trial> = trials
        .into_iter()
        .filter(|trial| trial.name.contains(&filter))
        .collect();
    let summary = corpus::run_all(&trials, &|_, _, _| {});
    for (name, text) in &summary.failures {
        println!("{name}\n{text}");
    }
    println!("{} passed, {} failed", summary.passed, summary.failures.len());
    Ok(())
}
