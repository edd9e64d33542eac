//! `unsafe` is written only in the modules that `docs/architecture.md` lists, and the list
//! names no module that does without.
//!
//! Deliberately absent: the `// SAFETY:` comments, which clippy demands.

use super::{Problem, source::code_only};
use crate::tree::Tree;

/// The page and the heading under which the modules are listed as `` - `path` ``.
const PAGE: &str = "docs/architecture.md";
const HEADING: &str = "## Modules that may use `unsafe`";

/// `unsafe` only where listed; the list only where `unsafe`.
pub fn check_unsafe(tree: &Tree) -> Vec<Problem> {
    let Some(listed) = tree.get(PAGE).map(|page| listed_modules(&page.text)) else {
        return vec![Problem::new(
            PAGE,
            0,
            "the page that lists the modules with `unsafe` is missing",
        )];
    };
    let mut problems = Vec::new();
    for file in tree.rust() {
        let line = first_unsafe(&file.text);
        let is_listed = listed.iter().any(|(_, path)| *path == file.path);
        if let (Some(line), false) = (line, is_listed) {
            let text = format!("`unsafe` in a module that {PAGE} does not list");
            problems.push(Problem::new(&file.path, line, text));
        }
    }
    for (line, path) in listed {
        if tree.get(&path).is_none_or(|file| first_unsafe(&file.text).is_none()) {
            let text = format!("`{path}` is listed but has no `unsafe`, or does not exist");
            problems.push(Problem::new(PAGE, line, text));
        }
    }
    problems
}

fn listed_modules(page: &str) -> Vec<(usize, String)> {
    page.lines()
        .enumerate()
        .skip_while(|(_, line)| *line != HEADING)
        .skip(1)
        .take_while(|(_, line)| !line.starts_with("## "))
        .filter_map(|(index, line)| {
            let path = line.strip_prefix("- `")?.split('`').next()?;
            Some((index + 1, path.to_owned()))
        })
        .collect()
}

fn first_unsafe(text: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code_only(text)
        .lines()
        .position(|line| line.split(|c| !is_word(c)).any(|word| word == "unsafe"))
        .map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# A\n\n## Modules that may use `unsafe`\n\n- `a/heap.rs`: raw memory\n\n## Next\n- `b.rs`\n";

    #[test]
    fn unsafe_outside_the_list_is_named() {
        let tree = Tree::sample(&[
            ("a/heap.rs", "unsafe { }"),
            ("a/other.rs", "// unsafe in prose is fine\nlet x = unsafe { y };"),
            ("a/word.rs", "let unsafe_word = 1;"),
            (PAGE, LIST),
        ]);
        let problems = check_unsafe(&tree);
        assert_eq!(problems.len(), 1);
        assert_eq!((problems[0].path.as_str(), problems[0].line), ("a/other.rs", 2));
    }

    #[test]
    fn a_stale_row_is_named() {
        let tree = Tree::sample(&[("a/heap.rs", "fn f() {}"), (PAGE, LIST)]);
        let problems = check_unsafe(&tree);
        assert_eq!(problems.len(), 1);
        assert_eq!((problems[0].path.as_str(), problems[0].line), (PAGE, 5));
    }
}
