//! Coroutines: a box that holds a thunk, a continuation, or nothing while it runs.
//!
//! Resuming puts the continuation on the stack, yielding captures it up to the coroutine's mark
//! and cuts there. A small coroutine is copied whole both ways; of a large one, frames that stay
//! in the Kont between two yields are not copied again.

use super::control::Stop;
use super::marks::{Found, MarkView, int_slot};
use super::{Machine, is_frame_of};
use crate::control::mark;
use sx_runtime::error::{Code, Raise};
use sx_runtime::object::{self, Type, coroutine};
use sx_runtime::stack::marker;
use sx_runtime::value::{Value, Word};

/// What a coroutine's STATE says.
mod state {
    pub const NEW: i64 = 0;
    pub const WAITING: i64 = 1;
    pub const RUNNING: i64 = 2;
}

impl Machine {
    /// The mark of the nearest running coroutine, or of this one.
    fn find_coroutine(&self, which: Option<Word>) -> Option<Found> {
        let is_it = |m: &MarkView| m.kind == mark::COROUTINE && which.is_none_or(|c| m.payload == c);
        self.find_mark(is_it)
    }

    /// Is the innermost marker a coroutine's, and on the stack, and nothing handled above it?
    fn is_coroutine_on_top(&self) -> bool {
        let (mark, handling) = (self.isolate.state.stack.mark, self.isolate.state.stack.handling);
        // SAFETY: the chain of markers consists of marker and cursor frames.
        mark > handling && unsafe { !is_frame_of(mark, self.cursor) && int_slot(mark, marker::KIND) == mark::COROUTINE }
    }

    /// # Safety
    /// `c` is a coroutine.
    unsafe fn set_coroutine(&mut self, c: Word, state: i64, next: Word) {
        // SAFETY: by the caller.
        unsafe {
            object::set_field_raw(c, coroutine::STATE, Word::fixnum(state).0);
            self.isolate.heap.write(c, coroutine::KONT, next);
        }
    }

    fn coroutine_state(c: Word) -> Result<i64, Raise> {
        // SAFETY: callers pass live words.
        let value: Value<'_> = unsafe { Value::from_raw(c) };
        if !value.is(Type::Coroutine) {
            let message = format!("coroutine-resume: expected coroutine, got {}", value.type_name());
            return Err(Raise::new(Code::Type, message));
        }
        // SAFETY: the type is checked.
        Ok(unsafe { object::field(c, coroutine::STATE) }.as_fixnum())
    }

    /// Runs the coroutine at `at[1]` with the value at `at[2]`, in place of the call at `at`.
    pub(super) unsafe fn coroutine_resume(&mut self, at: *mut Word) -> Result<(), Stop> {
        // SAFETY: both are in the window.
        unsafe {
            let (c, value) = (*at.add(1), *at.add(2));
            match Self::coroutine_state(c)? {
                state::WAITING => {
                    let k = object::field(c, coroutine::KONT);
                    self.set_coroutine(c, state::RUNNING, Word::NIL);
                    *at = k;
                    *at.add(1) = value;
                    self.isolate.state.stack.window = (at, 2);
                    self.resume_at(at, k, value)?;
                }
                state::NEW => self.coroutine_start(at, c)?,
                state::RUNNING if self.find_coroutine(Some(c)).is_some() => {
                    return Err(Raise::new(Code::Control, "coroutine-resume: the coroutine is running").into());
                }
                _ => return Err(Raise::new(Code::Control, "coroutine-resume: the coroutine has finished").into()),
            }
            Ok(())
        }
    }

    /// Calls `%coroutine-body` below the coroutine's mark.
    unsafe fn coroutine_start(&mut self, at: *mut Word, c: Word) -> Result<(), Stop> {
        // SAFETY: the window holds the coroutine; the body takes it from there.
        unsafe {
            let Some(body) = self.core_global("%coroutine-body") else {
                return Err(Raise::new(Code::Control, "no core library").into());
            };
            object::set_field_raw(c, coroutine::STATE, Word::fixnum(state::RUNNING).0);
            *at.add(1) = Word::fixnum(mark::COROUTINE);
            *at.add(2) = c;
            *at.add(3) = body;
            *at = self.marker;
            self.isolate.state.stack.window = (at, 4);
            self.enter(at, 3)?;
            Ok(())
        }
    }

    /// Captures up to the nearest coroutine's mark, cuts there, and gives the value at `at[1]` to
    /// whoever resumed it.
    pub(super) unsafe fn coroutine_yield(&mut self, at: *mut Word) -> Result<(), Stop> {
        // SAFETY: the value is in the window.
        unsafe {
            if self.is_coroutine_on_top() {
                let k = self.capture_top(at)?;
                let (c, value) = (*self.isolate.state.stack.mark.add(marker::PAYLOAD), *at.add(1));
                self.set_coroutine(c, state::WAITING, k);
                let to = self.cut_top();
                self.wait_below(to, 0);
                self.resume_frame(value);
                return Ok(());
            }
            let outside = || Raise::new(Code::Control, "coroutine-yield: not inside a coroutine");
            let mut at = at;
            let mut found = self.find_coroutine(None).ok_or_else(outside)?;
            if self.is_across(&found) {
                at = self.settle(at, 2)?;
                found = self.find_coroutine(None).ok_or_else(outside)?;
            }
            let (k, found) = self.capture(found, at)?;
            let value = *at.add(1);
            self.set_coroutine(found.payload, state::WAITING, k);
            let to = self.cut(&found);
            self.wait_below(to, 0);
            self.resume_frame(value);
            Ok(())
        }
    }

    pub(super) fn coroutine_alive(&self, c: Word) -> Result<Word, Raise> {
        let alive = match Self::coroutine_state(c)? {
            state::NEW | state::WAITING => true,
            state::RUNNING => self.find_coroutine(Some(c)).is_some(),
            _ => false,
        };
        Ok(Word::bool(alive))
    }
}
