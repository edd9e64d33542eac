//! The core library as `build.rs` compiled it, held in the binary.
//!
//! Invariant: the image equals what compiling `lib/core` now would give (a test compares them).

#[cfg(test)]
mod compile;

use crate::error::Error;
use std::sync::{Arc, OnceLock};
use sx_interp::boot::BootError;
use sx_interp::machine::Machine;
use sx_runtime::chunk::Chunk;
use sx_runtime::error::Code;

/// The chunks of the library's top-level forms, encoded.
static IMAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/core.image"));

/// Gives a fresh machine the core library.
pub(crate) fn load(machine: &mut Machine) -> Result<(), Error> {
    machine.load_image(chunks()?).map_err(|error| match error {
        BootError::Failed(failure) => crate::failure::of_run(*failure).into(),
        other => broken(&format!("{other:?}")),
    })
}

/// The chunks, decoded once a process: isolates share them.
fn chunks() -> Result<&'static [Arc<Chunk>], Error> {
    static CHUNKS: OnceLock<Result<Vec<Arc<Chunk>>, String>> = OnceLock::new();
    let decode = || postcard::from_bytes(IMAGE).map_err(|error| error.to_string());
    match CHUNKS.get_or_init(decode) {
        Ok(chunks) => Ok(chunks),
        Err(message) => Err(broken(message)),
    }
}

/// Only a binary put together wrongly gets here.
fn broken(why: &str) -> Error {
    Error::new(Code::Io, format!("the built-in library cannot be loaded: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_what_the_sources_compile_to() {
        let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib/core");
        let fresh = compile::compile(&library).expect("compiles");
        assert!(
            fresh == IMAGE,
            "the image in the binary is not a compile of the sources"
        );
    }
}
