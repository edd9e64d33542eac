//! What the pages point at exists: relative links lead to files, every statement of
//! `docs/language.md` names the test case that shows it, and every promise of `SECURITY.md` a test.
//!
//! A statement is a list item of that page; its link's text is the name of a case
//! (`;;;; name`) in the file the link leads to.

use super::Problem;
use crate::tree::{File, Tree};

/// The page whose statements have tests.
const LANGUAGE: &str = "docs/language.md";

/// The page whose promises have tests.
const PROMISES: &str = "SECURITY.md";

/// A link of a page.
struct Link {
    line: usize,
    text: String,
    target: String,
}

/// Every relative link of every page leads to a file or directory of the tree.
pub fn check_links(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for page in tree.with_extension("md") {
        for link in links(&page.text) {
            let Some(path) = resolve(&page.path, &link.target) else {
                continue;
            };
            let prefix = format!("{}/", path.trim_end_matches('/'));
            let found = tree.get(&path).is_some()
                || tree.others.contains(&path)
                || tree.files.iter().any(|file| file.path.starts_with(&prefix));
            if !found {
                let text = format!("the link to `{}` leads nowhere", link.target);
                problems.push(Problem::new(&page.path, link.line, text));
            }
        }
    }
    problems
}

/// Every list item of the language page links to a test, and every case a page names is there.
pub fn check_statements(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (line, item) in tree.get(LANGUAGE).map(|page| items(&page.text)).unwrap_or_default() {
        if !links(&item).iter().any(is_test) {
            problems.push(Problem::new(LANGUAGE, line, "this statement links to no test"));
        }
    }
    for page in tree.with_extension("md") {
        for link in links(&page.text).iter().filter(|link| is_test(link)) {
            let file = resolve(&page.path, &link.target).and_then(|path| tree.get(&path));
            if file.is_some_and(|file| !has_case(file, &link.text)) {
                let text = format!("`{}` has no case named `{}`", link.target, link.text);
                problems.push(Problem::new(&page.path, link.line, text));
            }
        }
    }
    problems
}

/// The last column of each promise links to tests by their names.
pub fn check_promises(tree: &Tree) -> Vec<Problem> {
    let Some(page) = tree.get(PROMISES) else {
        return vec![Problem::new(PROMISES, 0, "the page of promises is missing")];
    };
    let mut problems = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        let is_promise = line.starts_with("| ") && !line.starts_with("| promise");
        let tests = links_of_line(line);
        if is_promise && tests.is_empty() {
            problems.push(Problem::new(PROMISES, index + 1, "this promise links to no test"));
        }
        for (name, target) in tests.iter().filter(|_| is_promise) {
            let file = resolve(PROMISES, target).and_then(|path| tree.get(&path));
            let (rust, suite) = (format!("fn {name}("), format!("\"{name}\""));
            if !file.is_some_and(|file| file.text.contains(&rust) || file.text.contains(&suite)) {
                let text = format!("`{target}` has no test named `{name}`");
                problems.push(Problem::new(PROMISES, index + 1, text));
            }
        }
    }
    problems
}

/// A link from a page in `docs` to a test.
fn is_test(link: &Link) -> bool {
    link.target.starts_with("../tests/")
}

/// Is there such a case? Only text corpus files have cases; any other test file will do as it is.
fn has_case(file: &File, name: &str) -> bool {
    let is_corpus = file.path.ends_with(".sx") || file.path.ends_with(".scm");
    !is_corpus || file.text.lines().any(|line| line.strip_prefix(";;;; ") == Some(name))
}

/// The list items of a page, each with its first line and its continuation lines joined.
fn items(text: &str) -> Vec<(usize, String)> {
    let mut items: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("- ") {
            items.push((index + 1, line.to_owned()));
            open = true;
        } else if line.trim().is_empty() || !line.starts_with(' ') {
            open = false;
        } else if open && let Some((_, item)) = items.last_mut() {
            item.push('\n');
            item.push_str(line);
        }
    }
    items
}

/// The links of a page outside code blocks.
fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            links.extend(links_of_line(line).into_iter().map(|(text, target)| Link {
                line: index + 1,
                text,
                target,
            }));
        }
    }
    links
}

/// Text and target of each `[text](target)`.
fn links_of_line(line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("](") {
        let text = line[..at].rsplit('[').next().unwrap_or("");
        if let Some(target) = line[at + 2..].split(')').next() {
            found.push((text.to_owned(), target.to_owned()));
        }
    }
    found
}

/// The path in the tree a link means, or nothing for one that leads out of it.
fn resolve(page: &str, target: &str) -> Option<String> {
    let target = target.split(['#', ' ']).next().unwrap_or("");
    if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_link_is_named() {
        let page = "[a](b.md) [c](../src) [d](https://x.y) [e](gone.md#top)\n```\n[f](nothing)\n```\n";
        let tree = Tree::sample(&[("docs/a.md", page), ("docs/b.md", ""), ("src/x.rs", "")]);
        let problems = check_links(&tree);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].text, "the link to `gone.md#top` leads nowhere");
    }

    #[test]
    fn a_statement_without_its_case_is_named() {
        let page = "- One holds. [one](../tests/lang/a.sx)\n- Two holds.\n  [two](../tests/lang/a.sx)\n- Three.\n";
        let tree = Tree::sample(&[(LANGUAGE, page), ("tests/lang/a.sx", ";;;; one\n1\n;=> 1\n")]);
        let texts: Vec<String> = check_statements(&tree).iter().map(Problem::to_string).collect();
        assert_eq!(
            texts,
            [
                "docs/language.md:4: this statement links to no test",
                "docs/language.md:3: `../tests/lang/a.sx` has no case named `two`"
            ]
        );
    }

    #[test]
    fn a_promise_without_its_test_is_named() {
        let page = "| promise | shown by |\n|---|---|\n| One | [a_test](src/a.rs), [b c](t.sx) |\n| Two | [gone](src/a.rs) |\n| Three | |\n";
        let tree = Tree::sample(&[
            (PROMISES, page),
            ("src/a.rs", "fn a_test() {}"),
            ("t.sx", "(deftest \"b c\" 1)"),
        ]);
        let texts: Vec<String> = check_promises(&tree).iter().map(Problem::to_string).collect();
        assert_eq!(
            texts,
            [
                "SECURITY.md:4: `src/a.rs` has no test named `gone`",
                "SECURITY.md:5: this promise links to no test"
            ]
        );
    }
}
