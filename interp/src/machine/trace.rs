//! Looking at the machine between two instructions.
//!
//! Invariant: only slots the next instruction reads are looked at; others may hold words of
//! values that are long gone.
#![allow(unsafe_code)]

use super::Machine;
use sx_runtime::ops::Instr;
use sx_runtime::syntax::Span;

/// The instruction that comes next.
#[derive(Debug, Clone)]
pub struct Step {
    /// The function; empty for an anonymous one.
    pub function: String,
    /// Is it the core library's?
    pub is_core: bool,
    /// Its number in the function.
    pub pc: usize,
    /// The instruction as text.
    pub instruction: String,
    /// The slots it reads and what they print as.
    pub reads: Vec<(usize, String)>,
    /// The place in the program's text.
    pub span: Option<Span>,
}

impl Machine {
    /// The instruction that comes next, after `Exit::Stepped`.
    pub fn peek(&self) -> Option<Step> {
        let stack = &self.isolate.state.stack;
        if !stack.active || stack.at_call {
            return None;
        }
        let (fp, pc) = (stack.fp, stack.pc);
        let instance = self.instance();
        let chunk = &instance.chunk;
        // The instance's own code: redefinitions patch it.
        // SAFETY: `pc` is the running frame's, so it is within its code.
        let instruction = Instr(unsafe { *instance.code.add(pc) });
        let mut reads = Vec::new();
        instruction.uses(|slot| {
            // SAFETY: a slot the next instruction reads holds a live word.
            reads.push((slot, self.show(unsafe { *fp.add(slot) })));
        });
        Some(Step {
            function: chunk.name.to_string(),
            is_core: chunk.core,
            pc,
            instruction: chunk.show(pc, instruction),
            reads,
            span: chunk.span_at(pc),
        })
    }
}
