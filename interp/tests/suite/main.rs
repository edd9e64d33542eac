//! The machine as an embedder drives it: a core library loaded from its sources, texts evaluated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bundled;
mod feedback;
mod modules;
mod names;
mod refuse;

use std::path::Path;
use std::sync::Arc;
use sx_interp::bundle::{Bundle, BundledFile};
use sx_interp::machine::{Exit, Failure, Machine};
use sx_runtime::chunk::Chunk;
use sx_runtime::heap::HeapOptions;
use sx_runtime::host::SimulatedHost;
use sx_runtime::print::Style;
use sx_runtime::syntax::Source;
use sx_runtime::value::Word;

/// The sources of the core library.
fn core_sources() -> Vec<Arc<Source>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib/core");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let source = |p: &std::path::PathBuf| Source::new(p.to_string_lossy(), std::fs::read_to_string(p).unwrap());
    paths.iter().map(source).collect()
}

/// The compiled core library, compiled once.
fn core_chunks() -> &'static [Arc<Chunk>] {
    static CHUNKS: std::sync::OnceLock<Vec<Arc<Chunk>>> = std::sync::OnceLock::new();
    CHUNKS.get_or_init(|| {
        let mut machine = empty_machine(SimulatedHost::new(1));
        machine.load_core(&core_sources()).expect("the core library loads")
    })
}

fn empty_machine(host: SimulatedHost) -> Machine {
    Machine::new(HeapOptions::default(), Box::new(host)).unwrap_or_else(|_| panic!("no memory"))
}

/// A machine with the core library and a host with these files.
fn machine_with(files: &[(&str, &str)]) -> Machine {
    let mut host = SimulatedHost::new(1);
    for (path, text) in files {
        host.files.insert(path.to_string(), text.as_bytes().to_vec());
    }
    let mut machine = empty_machine(host);
    machine.load_image(core_chunks()).expect("the core library runs");
    machine.evaluator.bundle = bundle(&[]);
    machine
}

fn machine() -> Machine {
    machine_with(&[])
}

/// A bundle of these files, without images, and of what Scheme programs import.
fn bundle(files: &[(&str, &str)]) -> Arc<Bundle> {
    let own = files.iter().map(|(name, text)| BundledFile::new(name, text, &[]));
    let base = include_str!("../../../lib/r7rs/scheme/base.sx");
    let base = BundledFile::new("lib/r7rs/scheme/base.sx", base, &[]);
    Arc::new(Bundle::new(own.chain([base]).collect()))
}

/// Starts the evaluation of a text.
fn start(machine: &mut Machine, name: &str, text: &str) -> Exit {
    let state = match machine.evaluation_of(Source::new(name, text)) {
        Ok(Ok(state)) => state,
        _ => panic!("unreadable: {text}"),
    };
    let evaluate = machine.isolate.global("%evaluate").expect("%evaluate");
    machine.start(evaluate, &[state, Word::NIL]);
    machine.run()
}

/// The value of a text as `write` shows it, or the message of its failure after `!`.
fn eval(machine: &mut Machine, text: &str) -> String {
    let exit = start(machine, "main.sx", text);
    outcome(machine, exit)
}

fn outcome(machine: &Machine, exit: Exit) -> String {
    match exit {
        Exit::Value(_) => machine.isolate.heap.print(machine.result(), Style::Write),
        Exit::Failed(failure) => format!("!{}", failure.message),
        other => panic!("{other:?}"),
    }
}

fn failure(machine: &mut Machine, text: &str) -> Failure {
    match start(machine, "main.sx", text) {
        Exit::Failed(failure) => *failure,
        other => panic!("{other:?}"),
    }
}
