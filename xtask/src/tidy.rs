//! The rules of the house that the compiler does not check: a table of rules, each a function
//! from the tree to the places that break it.
//!
//! Invariant: every rule has a test that shows it failing on a bad sample.

mod edges;
mod fresh;
mod links;
mod shape;
mod source;
mod unsafety;
mod words;

use crate::tree::Tree;

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong and what would be right.
    pub text: String,
}

impl Problem {
    fn new(path: &str, line: usize, text: impl Into<String>) -> Problem {
        Problem {
            path: path.to_owned(),
            line,
            text: text.into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.text),
            line => write!(f, "{}:{line}: {}", self.path, self.text),
        }
    }
}

type Rule = (&'static str, fn(&Tree) -> Vec<Problem>);

const RULES: &[Rule] = &[
    ("file size", shape::check_size),
    ("module head", shape::check_heads),
    ("module files", shape::check_module_files),
    ("dependency edges", edges::check_edges),
    ("unsafe only where listed", unsafety::check_unsafe),
    ("unfinished work", words::check_words),
    ("links", links::check_links),
    ("statements have tests", links::check_statements),
    ("promises have tests", links::check_promises),
    ("generated pages", fresh::check_fresh),
];

/// Runs every rule, prints what each finds; true when the tree is clean.
pub fn report(tree: &Tree) -> bool {
    let mut clean = true;
    for (name, check) in RULES {
        for problem in check(tree) {
            clean = false;
            println!("{problem}  [{name}]");
        }
    }
    if clean {
        println!("tidy: {} files, {} rules, clean", tree.files.len(), RULES.len());
    }
    clean
}
