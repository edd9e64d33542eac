//! Compiling the libraries to images: part of the build script, and of the test that compares the
//! images in the binary with their sources.
//!
//! A part of a library that counts on parts loaded before it, for their macros say, is compiled
//! after those that the first file to load it loads first.
//!
//! Invariant: the machine a file is compiled in has the core library, such parts and what the file
//! loads, and nothing else.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sx_interp::boot::BootError;
use sx_interp::bundle::{Bundle, Bundled, BundledFile};
use sx_interp::image::Image;
use sx_interp::machine::Machine;
use sx_interp::read::read_all;
use sx_runtime::heap::HeapOptions;
use sx_runtime::host::SimulatedHost;
use sx_runtime::syntax::{Node, Source};

/// The image of the core library below `lib`: its files in the order of their names.
pub fn compile_core(lib: &Path) -> Result<Image, String> {
    let sources = read(lib, &in_folder(&lib.join("core"))?)?;
    let chunks = machine()?.load_core(&sources).map_err(describe)?;
    Ok(Image { chunks, adts: vec![] })
}

/// The files below `lib` that a bundle holds: programs, without the core library and without tests.
pub fn bundled(lib: &Path) -> Result<Vec<Arc<Source>>, String> {
    let mut paths = vec![];
    let mut folders = folders_in(lib)?;
    folders.retain(|folder| !folder.ends_with("core"));
    while let Some(folder) = folders.pop() {
        paths.extend(in_folder(&folder)?);
        folders.extend(folders_in(&folder)?.into_iter().filter(|f| !f.ends_with("tests")));
    }
    paths.extend(in_folder(lib)?);
    paths.sort();
    read(lib, &paths)
}

/// The image of each file, in the order given; `None` for one that is read as text.
pub fn compile_all(core: &Image, sources: &[Arc<Source>]) -> Result<Vec<Option<Vec<u8>>>, String> {
    let mut compiler = Compiler {
        core,
        sources,
        loads: loads(sources),
        begun: HashSet::new(),
        done: sources.iter().map(|_| None).collect(),
    };
    (0..sources.len()).try_for_each(|at| compiler.compile(at))?;
    Ok(compiler
        .done
        .into_iter()
        .map(|made| made.map(|made| made.encoded))
        .collect())
}

struct Compiler<'a> {
    core: &'a Image,
    sources: &'a [Arc<Source>],
    /// The files that each file loads at its top, in order.
    loads: Vec<Vec<usize>>,
    begun: HashSet<usize>,
    /// The images made so far, by file.
    done: Vec<Option<Made>>,
}

/// An image as it is kept in the binary, and as a program gets it from there.
struct Made {
    encoded: Vec<u8>,
    image: Arc<Image>,
}

impl Compiler<'_> {
    /// Compiles a file, after the files it loads, whose images then serve it.
    fn compile(&mut self, at: usize) -> Result<(), String> {
        if !self.begun.insert(at) {
            return Ok(());
        }
        let before = self.parts_before(at);
        for next in before.iter().chain(&self.loads[at]).copied().collect::<Vec<_>>() {
            self.compile(next)?;
        }
        let mut machine = machine()?;
        machine.load_image(&self.core.chunks).map_err(describe)?;
        machine.evaluator.bundle = Arc::new(self.bundle());
        for part in before {
            machine.load_bundled(&self.sources[part].name).map_err(describe)?;
        }
        let Some(image) = machine.compile_library(&self.sources[at]).map_err(describe)? else {
            return Ok(());
        };
        let encoded = image.encode()?;
        let text_of = |name: &str| self.sources.iter().find(|source| source.name == name).cloned();
        let image = Arc::new(Image::decode(&encoded, &text_of)?);
        self.done[at] = Some(Made { encoded, image });
        Ok(())
    }

    /// What the first file to load this one loads before it.
    fn parts_before(&self, at: usize) -> Vec<usize> {
        let mut before = self.loads.iter().filter_map(|rows| {
            let place = rows.iter().position(|row| *row == at)?;
            Some(rows[..place].to_vec())
        });
        before.next().unwrap_or_default()
    }

    /// The files with the images made so far.
    fn bundle(&self) -> Bundle {
        let files = self.sources.iter().zip(&self.done);
        let file = |(source, made): (&Arc<Source>, &Option<Made>)| {
            BundledFile::compiled(source.clone(), made.as_ref().map(|made| made.image.clone()))
        };
        Bundle::new(files.map(file).collect())
    }
}

/// The rows of the files that each file loads at its top.
pub fn loads(sources: &[Arc<Source>]) -> Vec<Vec<usize>> {
    let files = sources.iter().map(|source| BundledFile::compiled(source.clone(), None));
    let bundle = Bundle::new(files.collect());
    let row_of = |from: &Source, path: String| match bundle.find(&from.name, &path) {
        Some(Bundled::File(file)) => sources.iter().position(|source| source.name == file.source.name),
        Some(Bundled::Nothing) | None => None,
    };
    let rows_of = |source: &Arc<Source>| {
        loaded_by(source)
            .into_iter()
            .filter_map(|path| row_of(source, path))
            .collect()
    };
    sources.iter().map(rows_of).collect()
}

/// The paths that a text loads at its top. What cannot be read is for the compiler to report.
fn loaded_by(source: &Arc<Source>) -> Vec<String> {
    let forms = read_all(source.clone()).unwrap_or_default();
    let paths = forms.iter().filter_map(|form| match form.as_list()? {
        [head, path] if head.as_name().is_some_and(|name| &**name == "load") => match &path.node {
            Node::Str(path) => Some(path.to_string()),
            _ => None,
        },
        _ => None,
    });
    paths.collect()
}

fn machine() -> Result<Machine, String> {
    let host = Box::new(SimulatedHost::new(0));
    Machine::new(HeapOptions::default(), host).map_err(|_| "memory limit".to_owned())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let read = || std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let entries: std::io::Result<Vec<PathBuf>> = read();
    let mut entries = entries.map_err(|error| format!("{}: {error}", folder.display()))?;
    entries.sort();
    Ok(entries)
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let is_program = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "sx");
    Ok(entries(folder)?.into_iter().filter(is_program).collect())
}

/// The texts, each named by its path from `lib/` on.
fn read(lib: &Path, paths: &[PathBuf]) -> Result<Vec<Arc<Source>>, String> {
    let source = |path: &PathBuf| {
        let below = path.strip_prefix(lib).unwrap_or(path).components();
        let parts: Vec<_> = below.map(|part| part.as_os_str().to_string_lossy()).collect();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Source::new(format!("lib/{}", parts.join("/")), text))
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
