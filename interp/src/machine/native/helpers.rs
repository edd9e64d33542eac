//! What native code calls: the helpers of the table in `sx_runtime::native`.
//!
//! Each brings the stack to where the loop would have it and does what the loop would do. A panic
//! does not cross native code: it is kept and goes on in `run_native`.

use super::super::budget::Polled;
use super::super::operands::{is_view, mixed_floats};
use super::super::{Exit, Machine, is_frame_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use sx_runtime::error::Raise;
use sx_runtime::instance::instance_of;
use sx_runtime::native::{Context, HELPERS, Helpers};
use sx_runtime::object;
use sx_runtime::ops::{Instr, Op};
use sx_runtime::prims::PrimId;
use sx_runtime::stack::Site;
use sx_runtime::value::{Value, Word};

/// The addresses.
pub(super) fn table() -> [usize; HELPERS.len()] {
    Helpers {
        slow: slow as *const () as usize,
        primitive: primitive as *const () as usize,
        get: get as *const () as usize,
        make_closure: make_closure as *const () as usize,
        new_box: new_box as *const () as usize,
        store_global: store_global as *const () as usize,
        push_mark: push_mark as *const () as usize,
        pop_mark: pop_mark as *const () as usize,
        barrier: barrier as *const () as usize,
        box_float: box_float as *const () as usize,
        poll: poll as *const () as usize,
        call: call as *const () as usize,
        tail_call: tail_call as *const () as usize,
        control: control as *const () as usize,
        returned: returned as *const () as usize,
        exit: exit as *const () as usize,
    }
    .table()
}

/// Runs the body of a helper; `otherwise` is the answer after a panic.
fn guarded<T>(context: *mut Context, otherwise: T, body: impl FnOnce(&mut Machine) -> T) -> T {
    // SAFETY: native code passes the context it was entered with, whose machine waits in
    // `run_native` and is not otherwise looked at.
    let machine = unsafe { &mut *(*context).machine.cast::<Machine>() };
    match catch_unwind(AssertUnwindSafe(|| body(machine))) {
        Ok(value) => value,
        Err(panic) => {
            // SAFETY: as above.
            let machine = unsafe { &mut *(*context).machine.cast::<Machine>() };
            if let Some(tier) = &mut machine.native {
                tier.panic = Some(panic);
            }
            otherwise
        }
    }
}

/// The address of the stub that leaves native code, for a helper that panics.
fn moved_stub(context: *mut Context) -> usize {
    // SAFETY: as in `guarded`.
    let machine = unsafe { &*(*context).machine.cast::<Machine>() };
    machine.native.as_ref().map_or(0, |tier| tier.stubs.moved)
}

impl Machine {
    /// The frame at `fp` runs, at the instruction `pc`.
    fn stand_at(&mut self, fp: *mut Word, pc: usize) -> Instr {
        let stack = &mut self.isolate.state.stack;
        (stack.fp, stack.pc, stack.at_call) = (fp, pc, false);
        // SAFETY: native code passes a complete frame and an instruction of its function.
        unsafe { Instr(*instance_of(*fp).code.add(pc)) }
    }

    /// The word, or, after raising, the mark that frames have moved.
    fn valued(&mut self, result: Result<Word, Raise>) -> Word {
        match result {
            Ok(word) => word,
            Err(raise) => {
                let step = self.raise(raise);
                self.keep_exit(step);
                Word::SUSPEND
            }
        }
    }

    /// An exit ends the run as soon as native code has been left.
    fn keep_exit(&mut self, step: super::Step) -> bool {
        let Err(exit) = step else { return false };
        if let Some(tier) = &mut self.native {
            tier.exit = Some(exit);
        }
        true
    }

    /// A cursor that runs has a value to hand on, which needs no loop.
    fn hand_on(&mut self) -> super::Step {
        let stack = &self.isolate.state.stack;
        // SAFETY: the running frame is complete; a cursor that runs has frames left.
        unsafe {
            match stack.active && !stack.at_call && is_frame_of(stack.fp, self.cursor) {
                true => self.underflow(),
                false => Ok(()),
            }
        }
    }

    /// Where native code goes on after a step that moved frames.
    fn next_after(&mut self, step: super::Step) -> usize {
        let step = step.and_then(|()| self.hand_on());
        if self.keep_exit(step) {
            return self.native.as_ref().map_or(0, |tier| tier.stubs.moved);
        }
        self.next_native()
    }

    /// The instruction's work by its primitive, or on floats of any kind.
    unsafe fn slow_instruction(&mut self, fp: *mut Word, i: Instr) -> Result<Word, Raise> {
        use Op::*;
        // SAFETY: verified slots of a complete frame; native code has stored what is read.
        let slot = |s: usize| unsafe { *fp.add(s) };
        let Some(op) = i.op() else { return Ok(Word::NIL) };
        // SAFETY: the operands are live.
        unsafe {
            match op {
                Add | Sub | Mul | Div => {
                    let (x, y) = (slot(i.b()), slot(i.c()));
                    match self.float_op(op, x, y) {
                        Some(word) => Ok(word),
                        None => self.slow_op(i, &[x, y]),
                    }
                }
                AddI | SubI | VectorRefI => self.slow_op(i, &[slot(i.b()), Word::fixnum(i.imm_c())]),
                // What `=` does with two values of any kind; it neither raises nor allocates.
                JumpNumEq | JumpNotNumEq => {
                    let (x, y) = (Value::from_raw(slot(i.a())), Value::from_raw(slot(i.b())));
                    Ok(Word::bool(self.isolate.heap.equals(x, y)))
                }
                JumpLt | JumpNotLt | JumpLe | JumpNotLe => {
                    let (x, y) = (slot(i.a()), slot(i.b()));
                    match mixed_floats(x, y) {
                        Some((x, y)) => Ok(Word::bool(match op {
                            JumpLt | JumpNotLt => x < y,
                            _ => x <= y,
                        })),
                        None => self.slow_op(i, &[x, y]),
                    }
                }
                JumpLtI | JumpNotLtI | JumpGtI | JumpNotGtI | JumpNumEqI | JumpNotNumEqI => {
                    self.slow_op(i, &[slot(i.a()), Word::fixnum(i.imm_b())])
                }
                JumpEmpty | JumpNotEmpty => self.slow_op(i, &[slot(i.a())]),
                Rest => {
                    let x = slot(i.b());
                    if is_view(x) && self.isolate.heap.has_room(24) {
                        let rest = self.isolate.heap.rest(Value::from_raw(x));
                        return Ok(rest.map_or(Word::EMPTY, Value::word));
                    }
                    self.slow_op(i, &[x])
                }
                IsEmpty | First => self.slow_op(i, &[slot(i.b())]),
                VectorSet => self.slow_op(i, &[slot(i.a()), slot(i.b()), slot(i.c())]),
                VectorSetI => self.slow_op(i, &[slot(i.a()), Word::fixnum(i.imm_b()), slot(i.c())]),
                _ => self.slow_op(i, &[slot(i.b()), slot(i.c())]),
            }
        }
    }
}

extern "C" fn slow(context: *mut Context, fp: *mut Word, pc: usize) -> Word {
    guarded(context, Word::SUSPEND, |m| {
        let i = m.stand_at(fp, pc);
        // SAFETY: the frame is complete.
        let result = unsafe { m.slow_instruction(fp, i) };
        m.valued(result)
    })
}

extern "C" fn primitive(context: *mut Context, fp: *mut Word, pc: usize) -> Word {
    guarded(context, Word::SUSPEND, |m| {
        let i = m.stand_at(fp, pc);
        // SAFETY: the frame is complete, and its arguments are stored.
        let result = unsafe {
            let id = PrimId((*instance_of(*fp).consts.add(i.c())).as_fixnum() as u16);
            m.isolate.call_primitive(id, fp.add(i.b() + 1), i.d())
        };
        m.valued(result)
    })
}

extern "C" fn get(context: *mut Context, fp: *mut Word, pc: usize) -> Word {
    guarded(context, Word::SUSPEND, |m| {
        let i = m.stand_at(fp, pc);
        // SAFETY: the frame is complete.
        let result = unsafe {
            let (x, y) = (*fp.add(i.b()), *fp.add(i.c()));
            let cell = &*instance_of(*fp).feedback.add(i.d());
            match m.shaped_get(x, y, cell) {
                Some(word) => Ok(word),
                None => m.slow_op(i, &[x, y]),
            }
        };
        m.valued(result)
    })
}

extern "C" fn make_closure(context: *mut Context, fp: *mut Word, pc: usize) -> Word {
    guarded(context, Word::SUSPEND, |m| {
        let i = m.stand_at(fp, pc);
        let n = i.d();
        let result = m.reserve(16 + 8 * n).map(|()| {
            // SAFETY: verified operands of a complete frame; room was reserved.
            unsafe {
                let child = *instance_of(*fp).children.add(i.c());
                let captured = std::slice::from_raw_parts(fp.add(i.b() + 1), n);
                let aux = (*child).chunk.arity_word() as u64;
                m.isolate.heap.closure(aux, child as *const (), captured).word()
            }
        });
        m.valued(result)
    })
}

extern "C" fn new_box(context: *mut Context, fp: *mut Word, pc: usize) -> Word {
    guarded(context, Word::SUSPEND, |m| {
        let i = m.stand_at(fp, pc);
        let result = m.reserve(16).map(|()| {
            // SAFETY: a verified slot of a complete frame.
            let content: Value<'_> = unsafe { Value::from_raw(*fp.add(i.b())) };
            m.isolate.heap.new_box(content).word()
        });
        m.valued(result)
    })
}

extern "C" fn store_global(context: *mut Context, fp: *mut Word, pc: usize) -> Word {
    guarded(context, Word::SUSPEND, |m| {
        let i = m.stand_at(fp, pc);
        // SAFETY: verified operands of a complete frame; the constant is a cell.
        unsafe {
            let instance = instance_of(*fp);
            let (core, cell) = (instance.chunk.core, *instance.consts.add(i.bc() as usize));
            let is_set = i.op() == Some(Op::SetGlobal);
            if is_set && object::field(cell, object::cell::VALUE) == Word::UNBOUND {
                let step = m.raise_unbound_cell(cell);
                m.keep_exit(step);
                return Word::SUSPEND;
            }
            m.isolate.store_global(cell, *fp.add(i.a()), core);
            if !is_set {
                m.forget_macro(cell);
            }
            if !m.isolate.state.redefined {
                return Word::NIL;
            }
            // The code that called may have been given up.
            m.retire_stale();
            m.isolate.state.stack.pc = pc + 1;
            Word::SUSPEND
        }
    })
}

extern "C" fn push_mark(context: *mut Context, fp: *mut Word, pc: usize) -> Word {
    guarded(context, Word::SUSPEND, |m| {
        m.stand_at(fp, pc);
        // SAFETY: the running frame is a marker frame.
        let result = unsafe { m.push_mark() };
        m.valued(result.map(|()| Word::NIL))
    })
}

extern "C" fn pop_mark(context: *mut Context, fp: *mut Word, pc: usize) -> Word {
    guarded(context, Word::SUSPEND, |m| {
        m.stand_at(fp, pc);
        // SAFETY: the running frame is the innermost marker.
        unsafe { m.pop_mark() };
        Word::NIL
    })
}

extern "C" fn barrier(context: *mut Context, object: Word, field: usize, value: Word) -> Word {
    guarded(context, Word::NIL, |m| {
        m.isolate.heap.barrier(object, field, value);
        Word::NIL
    })
}

extern "C" fn box_float(context: *mut Context, value: f64) -> Word {
    guarded(context, Word::NIL, |m| m.isolate.heap.float_unreserved(value))
}

extern "C" fn poll(context: *mut Context, fp: *mut Word, pc: usize) -> usize {
    guarded(context, moved_stub(context), |m| {
        m.stand_at(fp, pc);
        let step = match m.poll() {
            Ok(Polled::Nothing) => return 0,
            Ok(Polled::Raised) => Ok(()),
            Ok(Polled::Preempted) => Err(Box::new(Exit::Preempted)),
            Err(exit) => Err(exit),
        };
        m.next_after(step)
    })
}

extern "C" fn call(context: *mut Context, window: *mut Word, argc: usize) -> usize {
    guarded(context, moved_stub(context), |m| {
        // SAFETY: native code has stored the window and the site word below it.
        let step = unsafe { m.enter(window, argc) };
        m.next_after(step)
    })
}

extern "C" fn tail_call(context: *mut Context, fp: *mut Word, pc: usize) -> usize {
    guarded(context, moved_stub(context), |m| {
        let i = m.stand_at(fp, pc);
        // SAFETY: native code has stored the window's arguments; the constant is a cell.
        let step = unsafe {
            let argc = match i.op() {
                Some(Op::TailCallGlobal) => {
                    let cell = *instance_of(*fp).consts.add(i.c());
                    *fp.add(i.b()) = object::field(cell, object::cell::VALUE);
                    i.d()
                }
                _ => i.c(),
            };
            m.enter_tail(fp.add(i.b()), argc)
        };
        m.next_after(step)
    })
}

extern "C" fn control(context: *mut Context, fp: *mut Word, pc: usize) -> usize {
    guarded(context, moved_stub(context), |m| {
        let i = m.stand_at(fp, pc);
        let tail = i.op() == Some(Op::TailControl);
        // SAFETY: native code has stored the arguments and, unless in tail position, the site.
        let step = unsafe { m.control(i.c(), fp.add(i.b()), i.d(), tail) };
        m.next_after(step)
    })
}

extern "C" fn returned(context: *mut Context, above: *mut Word, value: Word, site: Word) -> usize {
    guarded(context, moved_stub(context), |m| {
        let stack = &mut m.isolate.state.stack;
        let site = Site::of(site);
        (stack.fp, stack.pc) = (above.wrapping_sub(site.base), site.pc);
        // SAFETY: the frame waits at this call.
        unsafe { m.resume_frame(value) };
        m.next_after(Ok(()))
    })
}

extern "C" fn exit(context: *mut Context, fp: *mut Word, pc: usize) -> usize {
    let moved = moved_stub(context);
    guarded(context, moved, |m| {
        m.stand_at(fp, pc);
        m.note_exit(pc);
        moved
    })
}
