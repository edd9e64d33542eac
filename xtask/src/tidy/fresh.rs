//! Generated pages say what their tables say today.

use super::Problem;
use crate::docs::{PAGES, Page, all};
use crate::tree::Tree;

/// Every generated page equals what its generator makes now.
pub fn check_fresh(tree: &Tree) -> Vec<Problem> {
    check_pages(tree, PAGES)
}

fn check_pages(tree: &Tree, pages: &[Page]) -> Vec<Problem> {
    all(tree, pages)
        .into_iter()
        .filter(|(path, wanted)| tree.get(path).is_none_or(|file| file.text != *wanted))
        .map(|(path, _)| Problem::new(&path, 0, "stale: run `cargo run -p xtask -- docs`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_or_missing_page_is_named() {
        let page = |path| Page {
            path,
            generate: || "new".to_owned(),
        };
        let pages = [page("docs/stale.md"), page("docs/missing.md"), page("docs/good.md")];
        let tree = Tree::sample(&[("docs/stale.md", "old"), ("docs/good.md", "new")]);
        let paths: Vec<String> = check_pages(&tree, &pages).into_iter().map(|p| p.path).collect();
        assert_eq!(paths, ["docs/stale.md", "docs/missing.md"]);
    }
}
