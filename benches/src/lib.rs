//! The same work in SX and in the systems a user would pick instead, measured side by side.
//!
//! `rows` and `systems` are the two tables: what is run, and on what. `measure` runs one child process and
//! reads its user CPU and peak memory; `session` interleaves the runs; `report`, `json` and `chart` print.
//! Programs lie in `benches/peers/`, one folder per language, one file per row.
//!
//! Nothing here looks inside SX: it is a command like the others. No result names the machine it ran on.
#![forbid(unsafe_code)]

pub mod answer;
pub mod chart;
pub mod json;
pub mod limits;
pub mod measure;
pub mod report;
pub mod rows;
pub mod session;
pub mod systems;
