//! Loading: what file a path means, and the evaluation of it.
//!
//! Files outside come first: beside the loading text, in the working directory, in the project's
//! folder; then the bundle. A file outside is evaluated each time. A library of the bundle is
//! loaded once; a copy of it on disk, which may have been edited, once for each text it has had.
//!
//! Invariant: a library that is not complete yet is one that the run at hand is loading, or one
//! whose loading failed in it.

use super::{EvalError, Evaluation, Evaluator, Work, modules::find_file};
use crate::bundle::{Bundled, BundledFile};
use std::collections::HashMap;
use std::sync::Arc;
use sx_runtime::error::{Code, Raise};
use sx_runtime::host::Host;
use sx_runtime::syntax::{Name, Source};

/// The library files an isolate has loaded, by name.
#[derive(Default)]
pub(super) struct Loads(HashMap<Name, Loaded>);

struct Loaded {
    source: Arc<Source>,
    complete: bool,
}

impl Loads {
    /// Those that were not completed are tried again.
    pub(super) fn begin_run(&mut self) {
        self.0.retain(|_, file| file.complete);
    }
    pub(super) fn complete(&mut self, name: &str) {
        if let Some(file) = self.0.get_mut(name) {
            file.complete = true;
        }
    }
    /// Is this text of the file still to be loaded? Then it is noted as begun.
    fn begin(&mut self, source: &Arc<Source>, name: &str) -> Result<bool, Raise> {
        if let Some(known) = self.0.get(name).filter(|known| known.source.text == source.text) {
            return match known.complete {
                true => Ok(false),
                false => Err(Raise::new(
                    Code::Io,
                    format!("load: the loading of {name} has begun and not ended: it loads itself, or it failed"),
                )),
            };
        }
        let begun = Loaded {
            source: source.clone(),
            complete: false,
        };
        self.0.insert(name.into(), begun);
        Ok(true)
    }
}

/// Why a file cannot be loaded.
pub enum LoadError {
    /// It is not there, or cannot be loaded now.
    Raise(Raise),
    /// Its text is wrong.
    Text(EvalError),
}

impl From<Raise> for LoadError {
    fn from(raise: Raise) -> LoadError {
        LoadError::Raise(raise)
    }
}

impl Evaluator {
    /// The evaluation that loading `path` is, asked for by a text from the file `from`.
    pub fn load(&self, host: &mut dyn Host, from: &str, path: &str) -> Result<Evaluation, LoadError> {
        let outside = find_file(host, from, path);
        if outside.is_none() {
            match self.bundle.find(from, path) {
                Some(Bundled::File(file)) => return self.load_library(file, None),
                Some(Bundled::Nothing) => return Ok(Evaluation::nothing()),
                None => {}
            }
        }
        let place = outside.unwrap_or_else(|| path.to_string());
        let text = host
            .read_text(&place)
            .map_err(|error| Raise::new(Code::Io, format!("load: {error}")))?;
        let source = Source::new(place, text);
        match self.bundle.copied_at(&source.name) {
            Some(file) => self.load_library(file, Some(source)),
            None => self.text(source),
        }
    }

    fn text(&self, source: Arc<Source>) -> Result<Evaluation, LoadError> {
        let top = self.top_of(&source);
        Evaluation::text(source, &top).map_err(LoadError::Text)
    }

    /// A library of the bundle, or the copy of it that was found on disk.
    fn load_library(&self, file: &BundledFile, copy: Option<Arc<Source>>) -> Result<Evaluation, LoadError> {
        let name = &file.source.name;
        let edited = copy.filter(|copy| copy.text != file.source.text);
        let source = edited.as_ref().unwrap_or(&file.source);
        if !self.loads.borrow_mut().begin(source, name)? {
            return Ok(Evaluation::nothing());
        }
        let image = match &edited {
            Some(_) => None,
            None => self.bundle.image(file).map_err(|why| {
                // Only a binary put together wrongly gets here.
                Raise::new(Code::Io, format!("load: {name}: the image cannot be read: {why}"))
            })?,
        };
        let mut evaluation = match image {
            Some(image) => Evaluation::of(Work::Image(image, 0)),
            None => self.text(source.clone())?,
        };
        evaluation.then(Work::Loaded(name.as_str().into()));
        Ok(evaluation)
    }
}
