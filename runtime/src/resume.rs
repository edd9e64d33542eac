//! Does a handler of effects keep its continuation?
//!
//! A handler that uses `resume`, its second parameter, only as what it calls in tail position can
//! run on top of whoever performs: nobody will ever hold the continuation, so none has to be
//! made. This says so of a function by looking at its instructions.
//!
//! Invariant: the answer "no" is always right; "yes" only if no way through the function reads
//! the parameter otherwise.

use crate::chunk::Chunk;
use crate::ops::{Effect, Instr, Op};

/// The slot of a handler's `resume`.
const RESUME: usize = 2;

impl Chunk {
    /// Is the second parameter of this function of two only ever called in tail position?
    pub fn resumes_in_tail(&self) -> bool {
        *self
            .resumes
            .get_or_init(|| self.params == 2 && !self.rest && self.frame_size <= 64 && only_tail_called(&self.code))
    }
}

/// Follows the parameter, forwards and by slots, through moves.
fn only_tail_called(code: &[u64]) -> bool {
    let mut holding: Vec<u64> = vec![0; code.len()];
    let mut seen = vec![false; code.len()];
    let mut work = vec![(0, 1 << RESUME)];
    while let Some((pc, held)) = work.pop() {
        if pc >= code.len() {
            return false;
        }
        if seen[pc] && holding[pc] | held == holding[pc] {
            continue;
        }
        seen[pc] = true;
        holding[pc] |= held;
        let held: u64 = holding[pc];
        let i = Instr(code[pc]);
        let Some(op) = i.op() else { return false };
        let mut is_kept = false;
        i.uses(|slot| {
            let is_callee = op == Op::TailCall && slot == i.b();
            is_kept |= held >> slot & 1 == 1 && !is_callee && op != Op::Move;
        });
        if is_kept {
            return false;
        }
        let mut after = held;
        if let Some(slot) = i.def() {
            let moves = op == Op::Move && held >> i.b() & 1 == 1;
            after = after & !(1 << slot) | u64::from(moves) << slot;
        }
        if let Some(target) = i.target(pc) {
            work.push((target, after));
        }
        if !op.info().effects.contains(&Effect::End) {
            work.push((pc + 1, after));
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &[Instr]) -> bool {
        only_tail_called(&code.iter().map(|i| i.0).collect::<Vec<_>>())
    }

    #[test]
    fn a_call_in_tail_position_keeps_nothing() {
        assert!(of(&[
            Instr::abc(Op::Move, 4, 2, 0),
            Instr::wide(Op::Int, 5, 1),
            Instr::abc(Op::TailCall, 0, 4, 1),
        ]));
        assert!(of(&[Instr::wide(Op::Int, 5, 1), Instr::abc(Op::Return, 5, 0, 0)]));
    }

    #[test]
    fn anything_else_does() {
        let returned = [Instr::abc(Op::Move, 4, 2, 0), Instr::abc(Op::Return, 4, 0, 0)];
        let argument = [
            Instr::abc(Op::Move, 4, 1, 0),
            Instr::abc(Op::Move, 5, 2, 0),
            Instr::abc(Op::TailCall, 0, 4, 1),
        ];
        let called = [
            Instr::abc(Op::Move, 5, 2, 0),
            Instr::abc(Op::Move, 6, 1, 0),
            Instr::abc(Op::Call, 3, 5, 1),
            Instr::abc(Op::Return, 3, 0, 0),
        ];
        for code in [&returned[..], &argument, &called] {
            assert!(!of(code));
        }
    }

    #[test]
    fn a_slot_used_again_is_another_variable() {
        let code = [
            Instr::abc(Op::Move, 4, 2, 0),
            Instr::abc(Op::Move, 4, 1, 0),
            Instr::abc(Op::Return, 4, 0, 0),
        ];
        assert!(of(&code));
        // One of two ways keeps it.
        let code = [
            Instr::wide(Op::JumpIfFalse, 1, 1),
            Instr::abc(Op::Move, 4, 2, 0),
            Instr::abc(Op::Return, 4, 0, 0),
        ];
        assert!(!of(&code));
    }
}
