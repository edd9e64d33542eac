//! Forgetting a program: a machine that ran one becomes as one that has run nothing but its
//! library, without a new isolate being made.
//!
//! A program leaves its marks in five places: globals of its own (a core name it defines gets a
//! cell of its own), what the evaluator knows of macros and libraries, values embedded in code,
//! what primitives remember, and the few library variables that hold data. Code of the library is
//! never patched, so nothing else has to be undone; feedback and garbage stay, as in any isolate
//! that has been up for a while.

use crate::boot::BootError;
use crate::eval::Evaluator;
use crate::machine::Machine;
use std::sync::Arc;
use sx_runtime::chunk::Chunk;

impl Machine {
    /// Forgets the program that ran. `image` is what this machine was given by `load_image`; a
    /// condition, a suspended program and whatever else was under way is forgotten with it.
    pub fn forget_program(&mut self, image: &[Arc<Chunk>]) -> Result<(), BootError> {
        self.isolate.forget_program();
        let bundle = self.evaluator.bundle.clone();
        self.evaluator = Evaluator::new();
        self.evaluator.bundle = bundle;
        for chunk in image.iter().filter(|chunk| defines_data(chunk)) {
            self.run_chunk(chunk)?;
        }
        Ok(())
    }
}

/// Does this top-level form of a library define something else than a function?
pub fn defines_data(form: &Chunk) -> bool {
    form.children.is_empty()
}
