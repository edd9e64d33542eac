//! The libraries inside the binary: every file below `lib/` that is not part of the core library,
//! as a text and, where it can be compiled ahead, as an image.
//!
//! Who embeds the interpreter makes the bundle; an interpreter without one has the core library
//! only. What was called otherwise in the system programs were written for is in `MOVED`.
//! Deliberately absent: the file system. Files outside come first, see `eval/load.rs`.
//!
//! Invariant: running an image does what evaluating its text does.

use crate::image::Image;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use sx_runtime::syntax::Source;

/// Where libraries lie, in the repository and in a bundle.
pub const ROOT: &str = "lib/";
/// The folders below the root whose files are libraries to import: `scheme/base.sx` in one of
/// them is `(scheme base)`.
const IMPORTED_FROM: [&str; 2] = ["", "r7rs/"];

/// The file that loads all of the blog.
const BLOG: Option<&str> = Some("lib/host/host.sx");

/// Files that programs load and that are no files here: what has their place now, or nothing if
/// all of it is part of the language.
const MOVED: &[(&str, Option<&str>)] = &[
    ("lib/apl/runtime.sx", None),
    ("lib/compiler.sx", None),
    ("lib/host/blog.sx", BLOG),
    ("lib/host/feed.sx", BLOG),
    ("lib/host/handler.sx", BLOG),
    ("lib/host/middleware.sx", BLOG),
    ("lib/host/relations.sx", BLOG),
    ("lib/host/router.sx", BLOG),
    ("lib/host/server.sx", BLOG),
    ("lib/host/session.sx", BLOG),
    ("spec/stdlib.sx", None),
];

/// A file of the bundle.
pub struct BundledFile {
    /// Its text, named by its path from `lib/` on.
    pub source: Arc<Source>,
    encoded: &'static [u8],
    image: OnceLock<Result<Option<Arc<Image>>, String>>,
}

impl BundledFile {
    /// A file; `encoded` is its image as `Image::encode` wrote it, or empty.
    pub fn new(name: &str, text: &str, encoded: &'static [u8]) -> BundledFile {
        BundledFile {
            source: Source::new(name, text),
            encoded,
            image: OnceLock::new(),
        }
    }
    /// A file with an image that was just made.
    pub fn compiled(source: Arc<Source>, image: Option<Arc<Image>>) -> BundledFile {
        BundledFile {
            source,
            encoded: &[],
            image: OnceLock::from(Ok(image)),
        }
    }
}

/// The libraries inside the binary, shared by isolates.
#[derive(Default)]
pub struct Bundle {
    /// In the order of their names.
    files: Vec<BundledFile>,
}

/// What a path means in a bundle.
pub enum Bundled<'b> {
    /// This file of it.
    File(&'b BundledFile),
    /// Nothing that is left to load.
    Nothing,
}

impl Bundle {
    /// A bundle of these files.
    pub fn new(mut files: Vec<BundledFile>) -> Bundle {
        files.sort_by(|a, b| a.source.name.cmp(&b.source.name));
        Bundle { files }
    }
    /// The files in the order of their names.
    pub fn files(&self) -> &[BundledFile] {
        &self.files
    }
    /// The file of that name.
    pub fn get(&self, name: &str) -> Option<&BundledFile> {
        let row = self.files.binary_search_by(|file| file.source.name.as_str().cmp(name));
        row.ok().map(|row| &self.files[row])
    }
    /// What `path` means in a text from the file `from`: a file beside it, or one named in full.
    pub fn find(&self, from: &str, path: &str) -> Option<Bundled<'_>> {
        let folder = from.rfind('/').map_or("", |slash| &from[..=slash]);
        let (beside, named) = (plain(&format!("{folder}{path}")).into_owned(), plain(path));
        if let Some(file) = self.get(&beside).or_else(|| self.get(&named)) {
            return Some(Bundled::File(file));
        }
        let (_, now) = MOVED.iter().find(|(old, _)| *old == named)?;
        match now {
            Some(now) => self.get(now).map(Bundled::File),
            None => Some(Bundled::Nothing),
        }
    }
    /// The bundled file that a file on disk is another copy of, by its path.
    pub fn copied_at(&self, place: &str) -> Option<&BundledFile> {
        let place = plain(place);
        let starts = place.match_indices(ROOT).map(|(at, _)| at);
        let whole = |at: &usize| *at == 0 || place.as_bytes()[at - 1] == b'/';
        starts.filter(whole).find_map(|at| self.get(&place[at..]))
    }
    /// The text of a library to import, by the names its file may have.
    pub fn library(&self, names: &[String]) -> Option<&Arc<Source>> {
        let mut paths = IMPORTED_FROM
            .iter()
            .flat_map(|folder| names.iter().map(move |name| format!("{ROOT}{folder}{name}")));
        paths.find_map(|path| self.get(&path)).map(|file| &file.source)
    }
    /// The image of a file, decoded when it is first asked for; `None` if the file is read as text.
    pub fn image(&self, file: &BundledFile) -> Result<Option<Arc<Image>>, String> {
        let text_of = |name: &str| self.get(name).map(|file| file.source.clone());
        let decode = || match file.encoded {
            [] => Ok(None),
            encoded => Image::decode(encoded, &text_of).map(|image| Some(Arc::new(image))),
        };
        file.image.get_or_init(decode).clone()
    }
}

/// The path without `.`, and without the folders that a `..` leaves.
fn plain(path: &str) -> Cow<'_, str> {
    if !path.split('/').any(|part| matches!(part, "." | "..")) {
        return path.into();
    }
    let mut parts: Vec<&str> = vec![];
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "..")) => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Bundle {
        let file = |name: &str| BundledFile::new(name, "", &[]);
        Bundle::new(
            ["lib/b/two.sx", "lib/a/one.sx", "lib/r7rs/scheme/base.sx"]
                .map(file)
                .into(),
        )
    }

    fn found(from: &str, path: &str) -> Option<String> {
        bundle().find(from, path).map(|found| match found {
            Bundled::File(file) => file.source.name.clone(),
            Bundled::Nothing => "nothing".into(),
        })
    }

    #[test]
    fn a_path_is_looked_for_beside_the_text_and_then_in_full() {
        let one = Some("lib/a/one.sx".to_string());
        assert_eq!(found("main.sx", "lib/a/one.sx"), one);
        assert_eq!(found("main.sx", "./lib/b/../a/one.sx"), one);
        assert_eq!(found("lib/a/other.sx", "one.sx"), one);
        assert_eq!(found("lib/b/two.sx", "../a/one.sx"), one);
        assert_eq!(found("lib/b/two.sx", "lib/a/one.sx"), one);
        assert_eq!(found("main.sx", "one.sx"), None);
        assert_eq!(found("main.sx", "../lib/a/one.sx"), None);
    }

    #[test]
    fn what_is_part_of_the_language_needs_no_loading() {
        for (old, _) in MOVED {
            assert!(bundle().get(old).is_none(), "{old}");
        }
        assert_eq!(found("main.sx", "spec/stdlib.sx"), Some("nothing".into()));
        assert_eq!(found("main.sx", "spec/other.sx"), None);
    }

    #[test]
    fn a_copy_on_disk_is_known_by_its_path() {
        let at = |place: &str| bundle().copied_at(place).map(|file| file.source.name.clone());
        let one = Some("lib/a/one.sx".to_string());
        for place in ["lib/a/one.sx", "./lib/a/one.sx", "/srv/lib/app/lib/a/one.sx"] {
            assert_eq!(at(place), one, "{place}");
        }
        for place in ["one.sx", "a/one.sx", "mylib/a/one.sx", "lib/a/one.sx/x"] {
            assert_eq!(at(place), None, "{place}");
        }
    }

    #[test]
    fn libraries_to_import_have_folders_of_their_own() {
        let names = ["scheme/base.sx".to_string()];
        assert!(bundle().library(&names).is_some());
        assert!(bundle().library(&["scheme/none.sx".to_string()]).is_none());
    }
}
