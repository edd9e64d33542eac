//! The generated pages: a table of path and generator. Each generator prints one of the tables
//! the code itself is made from, so a page cannot say something the code does not do.
//!
//! Invariant: a generator is a pure function of the tree; nothing of the machine, the clock or
//! the environment enters a page.

mod errors;

use crate::tree::root;
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
        path: "docs/tested.md",
        generate: sx_tests::scoreboard::page,
    },
];

/// Writes every page that differs from what its table says, and tells which.
pub fn write_all() -> io::Result<bool> {
    for page in PAGES {
        let path = root().join(page.path);
        let wanted = (page.generate)();
        if std::fs::read_to_string(&path).ok().as_deref() != Some(wanted.as_str()) {
            std::fs::write(&path, wanted)?;
            println!("wrote {}", page.path);
        }
    }
    Ok(true)
}
