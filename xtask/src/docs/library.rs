//! The pages of the libraries: for each folder of `lib` its files, what they say they are, and
//! what they define with a docstring.
//!
//! Deliberately absent: the core library and that of Scheme, which have pages of their own. What
//! has no docstring is no part of the interface, nor is what has `--` or `%` in its name.

use crate::tree::Tree;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use sx_interp::read::read_all;
use sx_runtime::syntax::{Node, Source, Stx};

/// The folders below `lib` that are documented elsewhere.
const ELSEWHERE: [&str; 2] = ["core", "r7rs"];

/// Path and text of the page of each library.
pub fn pages(tree: &Tree) -> Vec<(String, String)> {
    let mut libraries: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for file in tree.with_extension("sx") {
        let Some((name, path)) = file.path.strip_prefix("lib/").and_then(|path| path.split_once('/')) else {
            continue;
        };
        if !ELSEWHERE.contains(&name) && !path.contains("tests/") {
            libraries.entry(name).or_default().push((path, &file.text));
        }
    }
    let page = |(name, files): (&str, Vec<(&str, &str)>)| {
        let guide = tree.get(&format!("lib/{name}/README.md")).is_some();
        (format!("docs/lib/{name}.md"), page(name, guide, &files))
    };
    libraries.into_iter().map(page).collect()
}

fn page(name: &str, guide: bool, files: &[(&str, &str)]) -> String {
    let mut out = format!("# lib/{name}\n\nMade from the docstrings of [lib/{name}](../../lib/{name}).");
    if guide {
        let _ = write!(out, " What it is for is in its [guide](../../lib/{name}/README.md).");
    }
    out.push('\n');
    for (path, text) in files {
        let _ = write!(
            out,
            "\n## {path}\n\n`(load \"lib/{name}/{path}\")`\n\n{}\n",
            head_of(text)
        );
        let forms = read_all(Source::new(*path, *text)).unwrap_or_default();
        for entry in forms.iter().filter_map(entry_of) {
            out += &entry;
        }
    }
    out
}

/// The comment a file opens with.
fn head_of(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.starts_with(';'));
    let lines: Vec<&str> = lines.map(|line| line.trim_start_matches(';').trim_start()).collect();
    lines.join("\n").trim().to_owned()
}

/// The entry of a definition that has a docstring and is for users.
fn entry_of(form: &Stx) -> Option<String> {
    let [head, name, rest @ ..] = form.as_list()? else {
        return None;
    };
    if is_internal(&text_of(name)) {
        return None;
    }
    let (usage, doc) = match (&**head.as_name()?, &name.node, rest) {
        ("define", Node::List(_) | Node::Dotted(..), [doc, _, ..]) => (text_of(name), doc),
        ("define", Node::Sym(of), [value]) => match value.as_list()? {
            [head, parameters, doc, _, ..] if matches!(&**head.as_name()?, "fn" | "lambda") => {
                (with(of, parameters), doc)
            }
            _ => return None,
        },
        ("defmacro" | "defcomp" | "defisland", Node::Sym(of), [parameters, doc, _, ..]) => (with(of, parameters), doc),
        _ => return None,
    };
    let Node::Str(doc) = &doc.node else { return None };
    let is_example = |line: &&str| line.starts_with('(') && (line.contains(" => ") || line.contains(" raises "));
    let prose: Vec<&str> = doc.lines().filter(|line| !is_example(line)).collect();
    let mut out = format!("\n### `{usage}`\n\n{}\n", prose.join("\n").trim());
    let examples: Vec<&str> = doc.lines().filter(is_example).collect();
    if !examples.is_empty() {
        let _ = write!(out, "\n```lisp\n{}\n```\n", examples.join("\n"));
    }
    Some(out)
}

/// Is it a helper's name, or the head of a helper's definition?
fn is_internal(defined: &str) -> bool {
    let name = defined.trim_start_matches('(').split(' ').next().unwrap_or_default();
    name.contains("--") || name.starts_with('%')
}

/// The text of a form, on one line.
fn text_of(form: &Stx) -> String {
    let (start, end) = (form.span.start as usize, form.span.end as usize);
    let words: Vec<&str> = form.span.source.text[start..end].split_whitespace().collect();
    words.join(" ")
}

fn with(name: &str, parameters: &Stx) -> String {
    match text_of(parameters).trim_start_matches('(') {
        ")" => format!("({name})"),
        rest => format!("({name} {rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_what_has_a_docstring() {
        let text = ";; Shapes.\n;; Flat ones.\n\n(define (area s)\n  \"The area.\n(area 1) => 1\"\n  s)\n\
                    (define (hidden x) x)\n(define (shapes--hidden x) \"No.\" x)\n(define half (fn (x) \"Half of it.\" (/ x 2)))\n\
                    (defmacro twice (x) \"Twice.\" (list '+ x x))\n(define n 1)\n";
        let tree = Tree::sample(&[
            ("lib/core/map.sx", text),
            ("lib/shapes/README.md", "x"),
            ("lib/shapes/api.sx", text),
            ("lib/shapes/tests/api.sx", text),
        ]);
        let pages = pages(&tree);
        assert_eq!(pages.len(), 1);
        let (path, page) = &pages[0];
        assert_eq!(path, "docs/lib/shapes.md");
        for wanted in [
            "[guide](../../lib/shapes/README.md)",
            "## api.sx\n\n`(load \"lib/shapes/api.sx\")`\n\nShapes.\nFlat ones.\n",
            "### `(area s)`\n\nThe area.\n\n```lisp\n(area 1) => 1\n```\n",
            "### `(half x)`\n\nHalf of it.\n",
            "### `(twice x)`\n\nTwice.\n",
        ] {
            assert!(page.contains(wanted), "{wanted}\n{page}");
        }
        assert!(!page.contains("hidden"), "{page}");
    }
}
