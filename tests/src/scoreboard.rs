//! What the corpus exercises: for every special form, core function and primitive, under which
//! configurations a case with it runs, and the first such case. `docs/tested.md` is this.
//!
//! Invariant: a case counts for a name if its code has the name where it is evaluated, so a name
//! in quoted data or in a comment does not.

use crate::{examples, matrix};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use sx::corpus::{self, CaseFile};
use sx::{Language, Source};
use sx_interp::expand::forms;
use sx_interp::read::read_all;
use sx_runtime::prims;
use sx_runtime::syntax::{Node, Stx};

/// A name that has to be tested.
#[derive(Debug)]
pub struct Row {
    /// The form or function.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// Cases that exercise it under each configuration, in the order of `crate::configurations`.
    pub counts: Vec<usize>,
    /// The file and the name of the first case that does, and whether that is a case file.
    pub first: Option<(String, String, bool)>,
}

/// What the oracle, the last configuration, is not asked about: it has no machine to show, makes
/// no code, and includes no files.
const NOT_FOR_THE_ORACLE: &[&str] = &[
    "bytecode-inspect",
    "cek-functions",
    "cek-resume",
    "cek-run",
    "cek-step",
    "cek-suspended?",
    "cek-value",
    "include",
    "include-ci",
    "jit-exclude!",
    "jit-exclude-callers-of!",
    "jit-excluded?",
    "jit-explain",
    "jit-functions",
    "jit-report",
    "jit-reset!",
    "jit-reset-counters!",
    "jit-set-threshold!",
    "jit-stats",
    "make-cek-state",
    "vm-trace",
];

impl Row {
    /// Is nothing to be expected in this cell?
    fn is_excused(&self, at: usize) -> bool {
        at + 1 == self.counts.len() && NOT_FOR_THE_ORACLE.contains(&&*self.name)
    }
}

/// A row for every form, every function of the core library and every primitive, in this order.
pub fn rows() -> Result<Vec<Row>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let configurations = crate::configurations();
    let mut rows: BTreeMap<(u8, String), Row> = BTreeMap::new();
    for (order, kind, name) in names(root)? {
        rows.insert(
            (order, name.clone()),
            Row {
                name,
                kind,
                counts: vec![0; configurations.len()],
                first: None,
            },
        );
    }
    let index: BTreeMap<String, (u8, String)> = rows.keys().map(|key| (key.1.clone(), key.clone())).collect();
    for (file, is_written) in case_files(root)? {
        for case in &file.cases {
            let runs: Vec<bool> = configurations
                .iter()
                .map(|one| one.takes(case) && case.skipped.iter().all(|(name, _)| name != one.name()))
                .collect();
            for name in mentioned(case.language, &case.code) {
                let Some(row) = index.get(&name).and_then(|key| rows.get_mut(key)) else {
                    continue;
                };
                row.counts
                    .iter_mut()
                    .zip(&runs)
                    .for_each(|(count, runs)| *count += usize::from(*runs));
                let found = || (file.path.clone(), case.name.clone(), is_written);
                row.first.get_or_insert_with(found);
            }
        }
    }
    Ok(rows.into_values().collect())
}

/// Every name to be tested: its group, what it is, the name.
fn names(root: &Path) -> Result<Vec<(u8, &'static str, String)>, String> {
    let mut names: Vec<(u8, &str, String)> = forms().map(|form| (0, "form", form.name.to_owned())).collect();
    let library = root.join("../lib/core");
    let mut paths: Vec<_> = std::fs::read_dir(library)
        .map_err(|error| format!("lib/core: {error}"))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let defined = text.lines().filter_map(|line| line.strip_prefix("(define ("));
        let functions = defined.filter_map(|rest| rest.split([' ', ')']).next());
        let public = functions.filter(|name| !name.starts_with('%'));
        names.extend(public.map(|name| (1, "function", name.to_owned())));
    }
    let primitives = prims::all().iter().filter(|primitive| !primitive.is_internal());
    names.extend(primitives.map(|primitive| (2, "primitive", primitive.name.to_owned())));
    Ok(names)
}

/// The files of cases, the written ones first, and whether they are written.
fn case_files(root: &Path) -> Result<Vec<(CaseFile, bool)>, String> {
    let mut files = Vec::new();
    for path in corpus::collect(&root.join("lang")).map_err(|error| format!("tests/lang: {error}"))? {
        files.push((corpus::load(&path, root)?, true));
    }
    let made = examples::case_files().map_err(|error| format!("lib/core: {error}"))?;
    let made = made
        .into_iter()
        .chain([examples::primitives()])
        .chain(matrix::case_files());
    files.extend(made.map(|file| (file, false)));
    Ok(files)
}

/// The names in a text that are evaluated. A text that does not read is evaluated up to there.
fn mentioned(language: Language, code: &str) -> HashSet<String> {
    let forms = read_all(Source::in_language(language, "case", code)).unwrap_or_default();
    let (mut found, mut todo) = (HashSet::new(), Vec::new());
    todo.extend(forms.iter().map(|form| (form, 0usize)));
    while let Some((form, quoted)) = todo.pop() {
        match &form.node {
            Node::Sym(name) if quoted == 0 => drop(found.insert(name.to_string())),
            Node::List(items) => {
                let depth = depth_inside(items, quoted, &mut found);
                todo.extend(items.iter().map(|item| (item, depth)));
            }
            Node::Dotted(items, tail) => todo.extend(items.iter().chain([tail]).map(|item| (item, quoted))),
            Node::Vector(items) => todo.extend(items.iter().map(|item| (item, quoted))),
            Node::Dict(pairs) => todo.extend(pairs.iter().flat_map(|(key, value)| [(key, quoted), (value, quoted)])),
            _ => {}
        }
    }
    found
}

/// How many quasiquotes the parts of a list stand in; nothing comes out of a quote.
fn depth_inside(items: &[Stx], quoted: usize, found: &mut HashSet<String>) -> usize {
    const QUOTE: usize = usize::MAX / 2;
    let head = items.first().and_then(|head| head.as_name());
    match head.map(|name| &**name) {
        Some(name @ ("quote" | "quasiquote")) if quoted == 0 => {
            found.insert(name.to_owned());
            if name == "quote" { QUOTE } else { 1 }
        }
        Some("quasiquote") if quoted < QUOTE => quoted + 1,
        Some("unquote" | "splice-unquote" | "unquote-splicing") if (1..QUOTE).contains(&quoted) => quoted - 1,
        _ => quoted,
    }
}

/// The page `docs/tested.md`.
pub fn page() -> String {
    let rows = match rows() {
        Ok(rows) => rows,
        Err(message) => return message,
    };
    let configurations = crate::configurations();
    let names: Vec<&str> = configurations.iter().map(|one| one.name()).collect();
    let mut page = format!(
        "# What is tested\n\nEvery special form, function of the core library and primitive, the configurations under \
         which cases with it run,\nand for a form the first of them; a function has its own example besides. Made by reading \
         the corpus (`cargo run -p xtask -- docs`);\n`cargo test -p sx-tests scoreboard` fails when a cell is \
         empty. –: the oracle\nhas no machine to show and includes no files.\n\n| name | {} | shown by, or kind |\n|---|{}---|\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for row in &rows {
        // Writing to a string cannot fail, here and below.
        let _ = write!(page, "| `{}` |", row.name.replace('|', "\\|"));
        for (at, count) in row.counts.iter().enumerate() {
            page.push_str(match (count, row.is_excused(at)) {
                (0, true) => " – |",
                (0, false) => " |",
                _ => " ● |",
            });
        }
        // A function has its own example; naming that keeps the page as it is when cases are added.
        let shown = match &row.first {
            Some((file, case, true)) if row.kind == "form" => format!("[{case}](../tests/{file})"),
            Some(_) => row.kind.to_owned(),
            None => String::new(),
        };
        let _ = writeln!(page, " {} |", shown.replace('|', "\\|"));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_empty() {
        let rows = rows().expect("a corpus");
        assert!(rows.len() > 400, "{}", rows.len());
        let empty: Vec<String> = rows
            .iter()
            .filter(|row| {
                let mut counts = row.counts.iter().enumerate();
                counts.any(|(at, count)| *count == 0 && !row.is_excused(at))
            })
            .map(|row| format!("{} {}", row.kind, row.name))
            .collect();
        assert!(empty.is_empty(), "nothing exercises {empty:#?}");
    }

    #[test]
    fn forms_have_written_cases() {
        let rows = rows().expect("a corpus");
        let without: Vec<&str> = rows
            .iter()
            .filter(|row| row.kind == "form")
            .filter(|row| !matches!(row.first, Some((_, _, true))))
            .map(|row| row.name.as_str())
            .collect();
        assert!(without.is_empty(), "{without:?}");
    }

    /// Every form says what is wrong with a use that is not of its shape.
    #[test]
    fn forms_have_cases_of_wrong_uses() {
        let parts = ["binding", "values", "control", "macros", "pages"];
        let files = parts.map(|part| {
            let name = format!("lang/forms-wrong-{part}.sx");
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            corpus::load(&path, Path::new("")).expect("cases")
        });
        let wrong: HashSet<&str> = files
            .iter()
            .flat_map(|file| &file.cases)
            .filter_map(|case| case.name.split(' ').next())
            .collect();
        let without: Vec<&str> = forms()
            .map(|form| form.name)
            .filter(|name| !wrong.contains(name) && !ANY_SHAPE.contains(name))
            .collect();
        assert!(without.is_empty(), "{without:?}");
    }

    /// Forms that no use is wrong of.
    const ANY_SHAPE: &[&str] = &["and", "or", "begin", "do", "reset"];

    #[test]
    fn what_is_quoted_is_not_exercised() {
        let found = mentioned(Language::Sx, "(f 'a `(b ,(c) `(d ,(e) ,,(g))) {:k (h)})");
        for (name, is_evaluated) in [
            ("f", true),
            ("a", false),
            ("b", false),
            ("c", true),
            ("e", false),
            ("g", true),
        ] {
            assert_eq!(found.contains(name), is_evaluated, "{name}");
        }
        assert!(found.contains("h") && found.contains("quote") && found.contains("quasiquote"));
    }
}
