//! Source files: reading one, finding those of a directory.
//!
//! Deliberately absent: what is done with them.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sx::{Language, Source};

/// The endings of the files that are programs.
const ENDINGS: &[&str] = &["sx", "scm"];

/// The programs at `path`: itself if it is no directory, else every one below it, in the order of
/// their names. Hidden directories and `target` are passed over.
pub fn sources(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut found, mut directories) = (Vec::new(), vec![path.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?;
            let (name, path) = (entry.file_name(), entry.path());
            if entry.file_type()?.is_dir() {
                if name != "target" && !name.to_string_lossy().starts_with('.') {
                    directories.push(path);
                }
            } else if path
                .extension()
                .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The text in a file, or on standard input for `-`.
pub fn read_source(path: &Path) -> Result<Arc<Source>, String> {
    let (name, bytes) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        ("<stdin>".to_owned(), read.map(|_| bytes))
    } else {
        (path.display().to_string(), std::fs::read(path))
    };
    let bytes = bytes.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{name}: no such file"),
        std::io::ErrorKind::PermissionDenied => format!("{name}: not permitted"),
        std::io::ErrorKind::IsADirectory => format!("{name}: is a directory"),
        _ => format!("{name}: {error}"),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{name}: not UTF-8 text"))?;
    Ok(Source::new(name, text))
}

/// The same text as Scheme, whatever its name.
pub fn in_scheme(source: &Source) -> Arc<Source> {
    Source::in_language(Language::Scheme, source.name.as_str(), source.text.as_str())
}
