//! Compiling the core library to an image: part of the build script and of the test that
//! compares the image with its sources.

use std::path::Path;
use std::sync::Arc;
use sx_interp::boot::BootError;
use sx_interp::machine::Machine;
use sx_runtime::heap::HeapOptions;
use sx_runtime::host::SimulatedHost;
use sx_runtime::syntax::Source;

/// The image of the library in a directory: its files in the order of their names.
pub fn compile(directory: &Path) -> Result<Vec<u8>, String> {
    let sources = sources(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let host = Box::new(SimulatedHost::new(0));
    let mut machine = Machine::new(HeapOptions::default(), host).map_err(|_| "memory limit".to_owned())?;
    let chunks = machine.load_core(&sources).map_err(describe)?;
    postcard::to_stdvec(&chunks).map_err(|error| error.to_string())
}

fn sources(directory: &Path) -> std::io::Result<Vec<Arc<Source>>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        paths.push(entry?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sx"));
    paths.sort();
    let source = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Source::new(format!("lib/core/{name}"), std::fs::read_to_string(path)?))
    };
    paths.iter().map(source).collect()
}

fn describe(error: BootError) -> String {
    match error {
        BootError::Syntax(errors) => errors.iter().map(|e| format!("{e}\n")).collect(),
        BootError::Failed(failure) => {
            let place = failure.span.as_ref().map(|span| span.place()).unwrap_or_default();
            format!("{place}: {}", failure.message)
        }
        BootError::Other(message) => message,
    }
}
