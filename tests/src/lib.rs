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

/// Every configuration, the plain interpreter first, the oracle last.
pub fn configurations() -> Vec<Arc<dyn Configuration>> {
    let mut all = engine_configurations();
    all.push(Arc::new(oracle::OracleConfiguration));
    all
}
