//! The shape of files: how long they are, that each begins by saying what it is, and where a
//! module's file lies.
//!
//! Deliberately absent: the length of functions, which is for a reviewer's eye.

use super::Problem;
use crate::tree::Tree;

/// Most lines a source file may have.
const LINES_MAX: usize = 800;
/// Most and fewest lines of a module head.
const HEAD_LINES: std::ops::RangeInclusive<usize> = 3..=15;
/// A file this short may have a head of one line, as may a part of a module whose own head
/// (`foo.rs` for `foo/part.rs`) says what they hold together, and tests.
const TINY_LINES: usize = 120;

/// No source file is longer than `LINES_MAX`.
pub fn check_size(tree: &Tree) -> Vec<Problem> {
    let library = tree.with_extension("sx").filter(|file| file.path.starts_with("lib/"));
    tree.rust()
        .chain(library)
        .filter_map(|file| {
            let lines = file.text.lines().count();
            (lines > LINES_MAX).then(|| {
                let text = format!("{lines} lines, at most {LINES_MAX}: look for a missing table or a missing noun");
                Problem::new(&file.path, 0, text)
            })
        })
        .collect()
}

/// Every Rust file opens with `//!` lines, every library file with a comment.
pub fn check_heads(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust() {
        let head = file.text.lines().take_while(|line| line.starts_with("//!")).count();
        let lines = file.text.lines().count();
        let may_be_short = lines <= TINY_LINES || is_part(tree, &file.path);
        let fits = HEAD_LINES.contains(&head) || ((1..3).contains(&head) && may_be_short);
        if !fits {
            let text = format!("the module head has {head} `//!` lines; it wants 3 to 15 (1 will do in a tiny file)");
            problems.push(Problem::new(&file.path, 1, text));
        }
    }
    for file in tree.with_extension("sx").filter(|file| file.path.starts_with("lib/")) {
        if !file.text.starts_with(';') {
            problems.push(Problem::new(
                &file.path,
                1,
                "a library file opens with a comment saying what it is",
            ));
        }
    }
    problems
}

/// Is this a file of `foo/` beside `foo.rs`, or of tests?
fn is_part(tree: &Tree, path: &str) -> bool {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    directory.split('/').any(|name| name == "tests") || tree.get(&format!("{directory}.rs")).is_some()
}

/// A module with children is `foo.rs` beside `foo/`.
pub fn check_module_files(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter(|file| file.path.ends_with("/mod.rs"))
        .map(|file| Problem::new(&file.path, 0, "a module with children is `foo.rs` beside `foo/`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_named() {
        let long = "x\n".repeat(801);
        let short = "x\n".repeat(800);
        let tree = Tree::sample(&[("a/long.rs", &long), ("a/short.rs", &short), ("lib/long.sx", &long)]);
        let paths: Vec<String> = check_size(&tree).into_iter().map(|p| p.path).collect();
        assert_eq!(paths, ["a/long.rs", "lib/long.sx"]);
    }

    #[test]
    fn a_missing_or_meagre_head_is_named() {
        let body = "fn f() {}\n".repeat(200);
        let meagre = format!("//! One line.\n{body}");
        let tiny = "//! One line.\nfn f() {}\n";
        let good = format!("//! One.\n//!\n//! Three.\n{body}");
        let tree = Tree::sample(&[
            ("a/bare.rs", "fn f() {}\n"),
            ("a/good.rs", &good),
            ("a/meagre.rs", &meagre),
            ("a/tiny.rs", tiny),
            ("b/parent.rs", &good),
            ("b/parent/part.rs", &meagre),
            ("b/tests/case.rs", &meagre),
            ("lib/core/bare.sx", "(define a 1)\n"),
        ]);
        let paths: Vec<String> = check_heads(&tree).into_iter().map(|p| p.path).collect();
        assert_eq!(paths, ["a/bare.rs", "a/meagre.rs", "lib/core/bare.sx"]);
    }

    #[test]
    fn mod_rs_is_named() {
        let tree = Tree::sample(&[("a/src/b/mod.rs", "//! x\n"), ("a/src/b.rs", "//! x\n")]);
        assert_eq!(check_module_files(&tree).len(), 1);
    }
}
