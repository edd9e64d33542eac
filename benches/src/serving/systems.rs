//! The servers that are measured, each with how it is started, built if need be.
//!
//! Deliberately absent: installing what a machine lacks. A system that nobody asked for and that
//! cannot be had is left out.

use crate::here;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A server: its name, its command, and the environment that goes with it.
pub struct System {
    pub name: &'static str,
    pub argv: Vec<String>,
    pub env: Vec<(&'static str, String)>,
    /// Does it read durable keys?
    reads_keys: bool,
}

impl System {
    /// Does it answer this path?
    pub fn has(&self, path: &str) -> bool {
        self.reads_keys || !path.starts_with("/kv/")
    }
}

const NAMES: [&str; 4] = ["sx", "sx-interp", "axum", "node"];

/// Names of systems out of a list with commas.
pub fn named(list: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = list.split(',').map(str::to_owned).collect();
    match names.iter().find(|name| !NAMES.contains(&name.as_str())) {
        Some(name) => Err(format!("{name} is none of {}", NAMES.join(", "))),
        None => Ok(names),
    }
}

/// The systems that are wanted; those that can be had if nothing is.
pub fn systems(wanted: Option<&[String]>, sx: &Path, scratch: &Path) -> io::Result<Vec<System>> {
    let peers = here().join("peers/serving");
    let missing = |error| io::Error::other(format!("{}: {error}; --sx names another", sx.display()));
    let sx = text(&std::fs::canonicalize(sx).map_err(missing)?);
    let wants = |name: &str| wanted.is_none_or(|names| names.iter().any(|known| known == name));
    let mut systems = Vec::new();
    for (name, native) in [("sx", "1"), ("sx-interp", "0")] {
        if wants(name) {
            systems.push(System {
                name,
                argv: vec![sx.clone(), "serve".to_owned(), text(&peers.join("sx/app.sx"))],
                env: vec![("SX_SERVING_JIT", native.to_owned())],
                reads_keys: true,
            });
        }
    }
    if wants("axum") {
        systems.push(System {
            name: "axum",
            argv: vec![text(&build_axum(&peers.join("axum/Cargo.toml"), scratch)?)],
            env: vec![],
            reads_keys: true,
        });
    }
    let has_node = Command::new("node").arg("--version").output().is_ok();
    if wants("node") && !has_node && wanted.is_some() {
        return Err(io::Error::other("node is not installed"));
    }
    if wants("node") && has_node {
        systems.push(System {
            name: "node",
            argv: vec!["node".to_owned(), text(&peers.join("node/server.cjs"))],
            env: vec![],
            reads_keys: node_has_sqlite(&peers.join("node"))?,
        });
    }
    Ok(systems)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Can Node load the library it reads keys with?
fn node_has_sqlite(directory: &Path) -> io::Result<bool> {
    let asked = Command::new("node")
        .args(["-e", "new (require('better-sqlite3'))(':memory:')"])
        .current_dir(directory)
        .output()?;
    Ok(asked.status.success())
}

fn build_axum(manifest: &Path, scratch: &Path) -> io::Result<PathBuf> {
    let target = scratch.join("axum");
    let built = Command::new("cargo")
        .args(["build", "-q", "--release", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", &target)
        .status()?;
    match built.success() {
        true => Ok(target.join("release/axum-peer")),
        false => Err(io::Error::other("axum does not build")),
    }
}
