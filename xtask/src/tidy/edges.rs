//! Which crate may use which: the one table of allowed edges, and who may use the code
//! generator.
//!
//! Invariant: a workspace crate without a row here is a problem, so the table is complete.

use super::Problem;
use crate::tree::{File, Tree};

/// Directory of a crate, directories of the workspace crates it may depend on.
const EDGES: &[(&str, &[&str])] = &[
    ("runtime", &[]),
    ("interp", &["runtime"]),
    ("store", &[]),
    ("jit", &["runtime"]),
    ("sx", &["interp", "jit", "runtime"]),
    ("tools", &["interp", "runtime", "sx"]),
    ("serve", &["store", "sx", "tools"]),
    ("cli", &["serve", "store", "sx", "tools"]),
    ("tests", &["interp", "runtime", "sx", "tests/oracle"]),
    ("tests/oracle", &["interp", "runtime"]),
    ("tests/fuzz", &["interp", "jit", "runtime", "sx", "tests/oracle"]),
    ("benches", &["store", "sx"]),
    // Reads the tables it prints; nothing depends on it.
    ("xtask", &["cli", "interp", "runtime", "serve", "sx", "tests", "tools"]),
];

/// The crates that may name Cranelift.
const CRANELIFT: &[&str] = &["jit"];

/// Every dependency between workspace crates has a row above.
pub fn check_edges(tree: &Tree) -> Vec<Problem> {
    let manifests = tree.files.iter().filter(|file| is_member_manifest(&file.path));
    manifests.flat_map(check_manifest).collect()
}

fn is_member_manifest(path: &str) -> bool {
    path.ends_with("/Cargo.toml") && !path.starts_with("benches/peers/")
}

fn check_manifest(file: &File) -> Vec<Problem> {
    let member = file.path.trim_end_matches("/Cargo.toml");
    let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == member) else {
        let text = format!("`{member}` has no row in the table of allowed edges (xtask/src/tidy/edges.rs)");
        return vec![Problem::new(&file.path, 0, text)];
    };
    let mut problems = Vec::new();
    for (line, name, path) in dependencies(&file.text) {
        if name.starts_with("cranelift") && !CRANELIFT.contains(&member) {
            problems.push(Problem::new(&file.path, line, "only `jit` may use Cranelift"));
        }
        let Some(target) = path.map(|path| resolve(member, &path)) else {
            continue;
        };
        if !allowed.contains(&target.as_str()) {
            let text = format!("`{member}` may not depend on `{target}`");
            problems.push(Problem::new(&file.path, line, text));
        }
    }
    problems
}

/// The dependencies a manifest names: line, name, and path if it has one. Reads the one-line
/// form only, which is the one we write.
fn dependencies(text: &str) -> Vec<(usize, String, Option<String>)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            inside = section.trim_end_matches(']').ends_with("dependencies");
        } else if inside && let Some((name, value)) = line.split_once('=') {
            let path = value
                .split_once("path")
                .and_then(|(_, rest)| rest.split('"').nth(1))
                .map(str::to_owned);
            found.push((index + 1, name.trim().to_owned(), path));
        }
    }
    found
}

/// The directory `path` means when written in the manifest of `member`.
fn resolve(member: &str, path: &str) -> String {
    let mut parts: Vec<&str> = member.split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(files: &[(&str, &str)]) -> Vec<String> {
        let problems = check_edges(&Tree::sample(files));
        problems.into_iter().map(|p| p.text).collect()
    }

    #[test]
    fn an_edge_against_the_grain_is_named() {
        let bad = "[dependencies]\nsx-interp = { path = \"../interp\" }\n";
        assert_eq!(
            texts(&[("runtime/Cargo.toml", bad)]),
            ["`runtime` may not depend on `interp`"]
        );
        assert!(texts(&[("sx/Cargo.toml", bad)]).is_empty());
    }

    #[test]
    fn development_dependencies_count() {
        let bad = "[dev-dependencies]\nsx = { path = \"../sx\" }\n";
        assert_eq!(
            texts(&[("interp/Cargo.toml", bad)]),
            ["`interp` may not depend on `sx`"]
        );
    }

    #[test]
    fn a_crate_without_a_row_is_named() {
        assert_eq!(texts(&[("new/Cargo.toml", "")]).len(), 1);
    }

    #[test]
    fn cranelift_is_for_the_jit() {
        let bad = "[dependencies]\ncranelift-jit = \"=0.135.8\"\n";
        assert_eq!(texts(&[("sx/Cargo.toml", bad)]), ["only `jit` may use Cranelift"]);
    }

    #[test]
    fn nested_members_resolve() {
        assert_eq!(resolve("tests/oracle", "../../interp"), "interp");
    }
}
