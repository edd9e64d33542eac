//! Which files a program may touch. One decision for every way to reach a file.

use super::{HostError, HostErrorKind};
use std::path::{Component, Path, PathBuf};

/// What a program may do with files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything the operating system lets the process do.
    Unrestricted,
    /// Read below these directories; no names that begin with a dot, no links that lead out,
    /// no writing.
    ReadBelow(Vec<PathBuf>),
}

impl Access {
    /// May `path` be read? Answers the path to open.
    pub fn check_read(&self, path: &str) -> Result<PathBuf, HostError> {
        match self {
            Access::Unrestricted => Ok(PathBuf::from(path)),
            Access::ReadBelow(roots) => check_below(roots, path),
        }
    }
    /// May `path` be written?
    pub fn check_write(&self, path: &str) -> Result<PathBuf, HostError> {
        match self {
            Access::Unrestricted => Ok(PathBuf::from(path)),
            Access::ReadBelow(_) => Err(denied(path)),
        }
    }
}

fn denied(path: &str) -> HostError {
    HostError::new(HostErrorKind::Denied, format!("{path}: not permitted here"))
}

fn check_below(roots: &[PathBuf], path: &str) -> Result<PathBuf, HostError> {
    let hidden = Path::new(path).components().any(|part| match part {
        Component::Normal(name) => name.to_string_lossy().starts_with('.'),
        Component::ParentDir => true,
        _ => false,
    });
    if hidden || path.contains('\0') {
        return Err(denied(path));
    }
    // The link-free path decides, so a link below a root cannot lead out of it.
    let real = std::fs::canonicalize(path).map_err(|error| HostError::from_io(path, &error))?;
    let inside = roots
        .iter()
        .filter_map(|root| std::fs::canonicalize(root).ok())
        .any(|root| real.starts_with(root));
    if inside { Ok(real) } else { Err(denied(path)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restricted_host_reads_below_its_roots_only() {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let access = Access::ReadBelow(vec![here.join("src")]);
        let at = |name: &str| here.join(name).to_string_lossy().into_owned();
        assert!(access.check_read(&at("src/lib.rs")).is_ok());
        for name in ["Cargo.toml", "src/../Cargo.toml", "src/.hidden"] {
            let error = access.check_read(&at(name)).expect_err(name);
            assert_eq!(error.kind, HostErrorKind::Denied, "{name}");
        }
        assert_eq!(
            access.check_read(&at("src/none.rs")).expect_err("none").kind,
            HostErrorKind::NotFound
        );
        assert!(access.check_write(&at("src/lib.rs")).is_err());
        assert!(Access::Unrestricted.check_write("/anything").is_ok());
    }
}
