//! The oracle: what a program means, run straight from its core forms.
//!
//! It shares the reader, the expander and the primitives with the rest of SX, and nothing else:
//! environments, continuations, calls, handlers, winds, coroutines and evaluation are linked lists
//! and one small step at a time. It is slow, it never collects and it takes no short cut, so that
//! where it and the machine differ, the machine is probably wrong.

#![deny(unsafe_code)]

mod conditions;
mod coroutine;
mod env;
mod evaluate;
mod machine;
mod native;
mod objects;
mod outcome;
mod run;

pub use outcome::{Answer, Counts, Edge, Outcome, PROGRAM, TestEdge, place_text};
pub use run::{Oracle, run};
