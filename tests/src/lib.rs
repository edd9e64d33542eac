//! What the project's own tests share: the configurations every text case runs under, and cases
//! made by combination.
//!
//! Deliberately absent: tests. They are in `suites/`, the written cases in `lang/`.

pub mod examples;
pub mod hostile;
pub mod matrix;
pub mod oracle;
pub mod scoreboard;

use std::sync::Arc;
use sx::corpus::{Configuration, engine_configurations};

/// The variable that names the configurations to run, comma-separated.
const CONFIGURATIONS: &str = "SX_TEST_CONFIGS";

/// Those of `all` that `SX_TEST_CONFIGS` names; `None` if it names none.
pub fn chosen(all: &[Arc<dyn Configuration>]) -> Result<Option<Vec<Arc<dyn Configuration>>>, String> {
    let Ok(names) = std::env::var(CONFIGURATIONS) else {
        return Ok(None);
    };
    let named = |name: &str| {
        let found = all.iter().find(|configuration| configuration.name() == name);
        found
            .cloned()
            .ok_or_else(|| format!("{CONFIGURATIONS}: no configuration `{name}`"))
    };
    names.split(',').map(named).collect::<Result<Vec<_>, _>>().map(Some)
}

/// Every configuration, the plain interpreter first, the oracle last.
pub fn configurations() -> Vec<Arc<dyn Configuration>> {
    let mut all = engine_configurations();
    all.push(Arc::new(oracle::OracleConfiguration));
    all
}
