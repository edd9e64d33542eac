//! The command line of `sx store`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Arguments of `sx store`.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// What can be done with a store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Count keys, logs, events, blobs and bytes
    Stats {
        /// A directory or URL
        store: Option<String>,
    },
    /// Read everything and print what is wrong; exit code 1 if anything is
    Verify {
        /// A directory or URL
        store: Option<String>,
    },
    /// Write everything to standard output, as text (docs/store-format.md)
    Dump {
        /// A directory or URL
        store: Option<String>,
    },
    /// Fill an empty store with a dump, all of which is read before anything is written
    Restore {
        /// The dump; `-` reads standard input, which is kept in a temporary file meanwhile
        dump: PathBuf,
        /// A directory or URL
        store: Option<String>,
    },
    /// Fill an empty store with a directory of the older host (docs/store-format.md)
    Import {
        /// The directory, which is left as it is
        directory: PathBuf,
        /// A directory or URL
        store: Option<String>,
    },
    /// Fill an empty store with everything in another
    Copy {
        /// The store to read: a directory or URL
        from: String,
        /// The store to fill: a directory or URL
        to: String,
    },
}
