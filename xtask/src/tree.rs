//! The files of the repository as tidy sees them: every text file git tracks or would track.
//! A tree can also be made by hand, so that each rule is tested on a bad sample.
//!
//! Invariant: paths are relative to the repository, with `/`, in sorted order.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One text file.
pub struct File {
    /// Path from the root of the repository.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A set of files.
pub struct Tree {
    /// The text files.
    pub files: Vec<File>,
    /// The paths of all other files, such as pictures.
    pub others: Vec<String>,
}

/// The root of the repository: the directory above this crate.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

impl Tree {
    /// The files of this repository.
    pub fn of_repository() -> io::Result<Tree> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()?;
        if !listed.status.success() {
            return Err(io::Error::other("git ls-files failed: tidy needs a git checkout"));
        }
        let mut paths: Vec<String> = String::from_utf8_lossy(&listed.stdout)
            .split_terminator('\0')
            .map(str::to_owned)
            .collect();
        paths.sort();
        paths.dedup();
        let mut tree = Tree {
            files: Vec::new(),
            others: Vec::new(),
        };
        for path in paths {
            // A deleted file is still listed until it is staged.
            match std::fs::read_to_string(root().join(&path)) {
                Ok(text) => tree.files.push(File { path, text }),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => tree.others.push(path),
                Err(_) => {}
            }
        }
        Ok(tree)
    }

    /// A tree made by hand.
    #[cfg(test)]
    pub fn sample(files: &[(&str, &str)]) -> Tree {
        let files = files
            .iter()
            .map(|(path, text)| File {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        Tree {
            files,
            others: Vec::new(),
        }
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust sources.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.with_extension("rs")
    }

    /// The files whose name ends in `.extension`.
    pub fn with_extension<'a>(&'a self, extension: &'a str) -> impl Iterator<Item = &'a File> {
        self.files
            .iter()
            .filter(move |file| Path::new(&file.path).extension().is_some_and(|e| e == extension))
    }
}
