//! The generated pages: a table of path and generator, and a page for each library. Each generator
//! prints one of the tables the code itself is made from, so a page cannot say something the code
//! does not do.
//!
//! Invariant: a generator is a pure function of the tree; nothing of the machine, the clock or
//! the environment enters a page.

mod errors;
mod library;
mod machine;

use crate::tree::{Tree, root};
use std::io;

/// A generated page.
pub struct Page {
    /// Where it lies, from the root of the repository.
    pub path: &'static str,
    /// Makes its text.
    pub generate: fn() -> String,
}

/// Every generated page. Adding one is adding a row.
pub const PAGES: &[Page] = &[
    Page {
        path: "docs/bytecode.md",
        generate: sx_runtime::ops::reference,
    },
    Page {
        path: "docs/cli.md",
        generate: sx_cli::reference,
    },
    Page {
        path: "docs/compat.md",
        generate: sx_tools::compat::reference,
    },
    Page {
        path: "docs/errors.md",
        generate: errors::page,
    },
    Page {
        path: "docs/host.md",
        generate: sx_serve::reference,
    },
    Page {
        path: "docs/primitives.md",
        generate: sx_runtime::prims::docs::reference,
    },
    Page {
        path: "docs/tables.md",
        generate: machine::page,
    },
    Page {
        path: "docs/tested.md",
        generate: sx_tests::scoreboard::page,
    },
];

/// Path and text of every page: those of the table, and one for each library.
pub fn all(tree: &Tree, table: &[Page]) -> Vec<(String, String)> {
    let rows = table.iter().map(|page| (page.path.to_owned(), (page.generate)()));
    rows.chain(library::pages(tree)).collect()
}

/// Writes every page that differs from what it is made from, and tells which.
pub fn write_all(tree: &Tree) -> io::Result<bool> {
    for (name, wanted) in all(tree, PAGES) {
        let path = root().join(&name);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(wanted.as_str()) {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(&path, wanted)?;
            println!("wrote {name}");
        }
    }
    Ok(true)
}
