//! The libraries as `build.rs` compiled them, held in the binary: the core library, which every
//! isolate begins with, and the bundle, whose files are loaded when a program asks for them.
//!
//! Invariant: the images equal what compiling `lib` now would give (a test compares them).

#[cfg(test)]
mod compile;

use crate::error::Error;
use std::sync::{Arc, OnceLock};
use sx_interp::boot::BootError;
use sx_interp::bundle::{Bundle, BundledFile};
use sx_interp::image::Image;
use sx_interp::machine::Machine;
use sx_runtime::error::Code;

/// The image of the core library.
static CORE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/core.image"));
/// The files of the bundle: name, text, image.
static FILES: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// Gives a fresh machine the core library and the bundle.
pub(crate) fn load(machine: &mut Machine) -> Result<(), Error> {
    machine.load_image(&core()?.chunks).map_err(|error| match error {
        BootError::Failed(failure) => crate::failure::of_run(*failure).into(),
        BootError::Other(why) => broken(&why),
        BootError::Syntax(errors) => broken(&errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    })?;
    machine.evaluator.bundle = bundle();
    Ok(())
}

/// The libraries inside the binary.
pub fn bundle() -> Arc<Bundle> {
    static BUNDLE: OnceLock<Arc<Bundle>> = OnceLock::new();
    let make = || {
        let files = FILES
            .iter()
            .map(|(name, text, image)| BundledFile::new(name, text, image));
        Arc::new(Bundle::new(files.collect()))
    };
    BUNDLE.get_or_init(make).clone()
}

/// The core library, decoded once a process: isolates share its chunks.
fn core() -> Result<&'static Image, Error> {
    static IMAGE: OnceLock<Result<Image, String>> = OnceLock::new();
    let decoded = IMAGE.get_or_init(|| Image::decode(CORE, &|_| None));
    decoded.as_ref().map_err(|message| broken(message))
}

/// Only a binary put together wrongly gets here.
fn broken(why: &str) -> Error {
    Error::new(Code::Io, format!("the built-in library cannot be loaded: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_images_are_what_the_sources_compile_to() {
        let lib = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib");
        let core = compile::compile_core(&lib).expect("compiles");
        assert!(core.encode().as_deref() == Ok(CORE), "the core library");
        let sources = compile::bundled(&lib).expect("readable");
        let images = compile::compile_all(&core, &sources).expect("compile");
        assert_eq!(sources.len(), FILES.len());
        for ((source, image), (name, text, held)) in sources.iter().zip(&images).zip(FILES) {
            assert_eq!((source.name.as_str(), source.text.as_str()), (*name, *text));
            assert!(image.as_deref().unwrap_or_default() == *held, "{name}");
        }
    }

    #[test]
    fn every_library_but_those_of_scheme_is_compiled_ahead() {
        for (name, _, image) in FILES {
            let is_scheme = name.starts_with("lib/r7rs");
            assert_eq!(image.is_empty(), is_scheme, "{name}");
        }
    }

    /// Parts count on the file that loads them; the others stand alone.
    #[test]
    fn every_file_that_no_other_loads_can_be_loaded_alone() {
        let sources: Vec<_> = bundle().files().iter().map(|file| file.source.clone()).collect();
        let parts: Vec<usize> = compile::loads(&sources).concat();
        for (row, source) in sources.iter().enumerate().filter(|(row, _)| !parts.contains(row)) {
            let mut isolate = crate::Engine::new().isolate().expect("an isolate");
            let loaded = isolate.call::<crate::Value>("load", (source.name.as_str(),));
            assert!(loaded.is_ok(), "{row} {}: {loaded:?}", source.name);
        }
    }
}
