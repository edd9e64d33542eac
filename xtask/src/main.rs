//! Chores of the repository: `tidy` checks what the compiler does not, `docs` writes the pages
//! that are generated from tables.
//!
//! Invariant: `tidy` writes nothing; `docs` writes only the pages of its table.

mod docs;
mod tidy;
mod tree;

use std::process::ExitCode;
use tree::Tree;

const USAGE: &str = "usage: cargo run -p xtask -- tidy    check the tree\n       \
                     cargo run -p xtask -- docs    write the generated pages";

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    let outcome = match command.as_deref() {
        Some("tidy") => Tree::of_repository().map(|tree| tidy::report(&tree)),
        Some("docs") => Tree::of_repository().and_then(|tree| docs::write_all(&tree)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
