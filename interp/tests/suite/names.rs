//! Every name that expansions and the core library use is bound.

use super::machine;
use sx_interp::expand::names::CORE_FUNCTIONS;
use sx_runtime::chunk::{Chunk, Const};

#[test]
fn every_core_function_is_bound() {
    let m = machine();
    let unbound = CORE_FUNCTIONS.iter().filter(|f| m.isolate.global(f.name).is_none());
    assert_eq!(unbound.map(|f| f.name).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn every_global_of_the_core_library_is_bound() {
    let m = machine();
    let mut unbound = vec![];
    let mut todo: Vec<&Chunk> = super::core_chunks().iter().map(|c| &**c).collect();
    while let Some(chunk) = todo.pop() {
        todo.extend(chunk.children.iter().map(|c| &**c));
        for constant in &chunk.consts {
            if let Const::Global(name) = constant
                && m.isolate.global(name).is_none()
            {
                unbound.push(name.to_string());
            }
        }
    }
    unbound.sort();
    unbound.dedup();
    assert_eq!(unbound, Vec::<String>::new());
}
