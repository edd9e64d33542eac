//! Performing: a request goes to the nearest handler that takes its op, else to the host.
//!
//! A handler that only resumes in tail position runs on top of who performed: nothing is captured,
//! and its `resume` is a return. Below it lies a *handling* frame, which says where its marker is;
//! what is between the two waits, and the marks that can be seen are those below the handler's
//! own. Every other handler gets a continuation and runs in the place of its marker.
//!
//! When frames are to be copied that a handling frame is among, `settle` first makes of it what it
//! stands for: a continuation, and the handler's frames in the marker's place. So nothing else that
//! moves frames knows of them.
//!
//! Deliberately absent: which handlers may run so (`sx_runtime::resume`).

use super::built::MARKER_CALL;
use super::control::Stop;
use super::frames::{DELIMITED, UNMADE, distance, kont_bytes, link_target};
use super::marks::{Found, int_slot, kont_words};
use super::{Machine, is_frame_of};
use sx_runtime::error::Raise;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::heap::Heap;
use sx_runtime::object::{self, continuation};
use sx_runtime::stack::{Site, handling, marker};
use sx_runtime::value::{Value, Word};

impl Machine {
    /// Hands the request at `at[1]`, which the program gave as `at[2]`, to whoever takes it.
    ///
    /// # Safety
    /// Both are in the window, and the frame below waits.
    pub(super) unsafe fn perform(&mut self, at: *mut Word) -> Result<Option<Word>, Stop> {
        let mut at = at;
        // SAFETY: by the caller; the window is read again after everything that may collect.
        unsafe {
            if Value::from_raw(*at.add(1)).as_dict().is_none() {
                return self.perform_list(at);
            }
            self.reserve(Heap::size_of(4))?;
            let op = self.op_of(*at.add(1))?;
            let Some(mut found) = self.find_effect(op) else {
                return self.perform_outside(at, op);
            };
            let function = self.function_for(op, found.payload);
            if self.runs_on_top(&found, function) {
                self.push_handling(at, &found, function)?;
                return Ok(None);
            }
            if self.is_across(&found) {
                at = self.settle(at, 3)?;
                let op = self.op_of(*at.add(1))?;
                found = self.find_effect(op).ok_or_else(Heap::bad_request)?;
            }
            let (k, found) = self.capture(found, at)?;
            let request = *at.add(1);
            let function = self.function_for(self.op_of(request)?, found.payload);
            let to = self.cut(&found);
            *to = function;
            *to.add(1) = request;
            *to.add(2) = k;
            self.enter(to, 2)?;
            Ok(None)
        }
    }

    /// The op of a request, interned.
    unsafe fn op_of(&self, request: Word) -> Result<Word, Raise> {
        // SAFETY: the request is live.
        let request: Value<'_> = unsafe { Value::from_raw(request) };
        let op = self.isolate.heap.request_op(request);
        op.map(Value::word).ok_or_else(Heap::bad_request)
    }

    /// A request that is no dict: `(op arg …)`.
    unsafe fn perform_list(&mut self, at: *mut Word) -> Result<Option<Word>, Stop> {
        let Some(function) = self.core_global("%perform-list") else {
            return Err(Heap::bad_request().into());
        };
        // SAFETY: the request is in the window.
        unsafe {
            *at = function;
            self.enter(at, 1)?;
        }
        Ok(None)
    }

    /// Hands the request to the host.
    unsafe fn perform_outside(&mut self, at: *mut Word, op: Word) -> Result<Option<Word>, Stop> {
        // SAFETY: room was reserved; the request and what was given are in the window.
        unsafe {
            let (request, given) = (Value::from_raw(*at.add(1)), *at.add(2));
            let args = self.isolate.heap.request_args(request).ok_or_else(Heap::bad_request)?;
            *at.add(1) = op;
            *at.add(2) = args.word();
            *at.add(3) = given;
            self.isolate.state.stack.window = (at, 4);
            self.host_perform(at)
        }
    }

    /// The function of a handler, a dict or the function itself, that takes the op.
    unsafe fn function_for(&self, op: Word, handler: Word) -> Word {
        // SAFETY: both are live.
        let (op, handler): (Value<'_>, Value<'_>) = unsafe { (Value::from_raw(op), Value::from_raw(handler)) };
        let function = match handler.as_dict() {
            Some(dict) => self.isolate.heap.dict_get(dict, op),
            None => Some(handler),
        };
        function.map_or(Word::NIL, Value::word)
    }

    // --- on top ------------------------------------------------------------------------------------

    /// Puts a handling frame at `at`, in place of the window there, and calls the handler above it.
    unsafe fn push_handling(&mut self, at: *mut Word, found: &Found, function: Word) -> Result<(), Stop> {
        // SAFETY: the request is in the window, room for the continuation was reserved, and the
        // segment has room above `at`.
        unsafe {
            let request = *at.add(1);
            let resume = self.continuation(Word::NIL, -1, UNMADE, Word::EMPTY);
            let stack = &mut self.isolate.state.stack;
            let link = match stack.handling.is_null() {
                true => 0,
                false => distance(stack.handling, at),
            };
            *at = self.handling;
            *at.add(handling::RESUME) = resume;
            *at.add(handling::MARKER) = Word::fixnum(distance(found.frame, at) as i64);
            *at.add(handling::MARK) = Word::fixnum(distance(stack.mark, at) as i64);
            *at.add(handling::LINK) = Word::fixnum(link as i64);
            *at.add(handling::VALUE) = Word::NIL;
            *at.add(handling::SIZE - 1) = WAITS;
            stack.handling = at;
            stack.mark = link_target(found.frame);
            let callee = at.add(handling::SIZE);
            *callee = function;
            *callee.add(1) = request;
            *callee.add(2) = resume;
            self.enter(callee, 2)?;
            Ok(())
        }
    }

    /// May the handler found run on top of who performs?
    unsafe fn runs_on_top(&self, found: &Found, function: Word) -> bool {
        // A stepped program shows its variables, so it may keep any.
        if !found.hops.is_empty() || found.winds != 0 || !self.fibers.is_empty() {
            return false;
        }
        // SAFETY: the function is live.
        let function: Value<'_> = unsafe { Value::from_raw(function) };
        function
            .instance()
            .is_some_and(|instance| instance.chunk.resumes_in_tail())
    }

    /// The handler whose frame would be at `nfp` has called its continuation `k`: if it ran on top
    /// of who performed, the value goes there.
    pub(super) unsafe fn return_to_performer(&mut self, nfp: *mut Word, k: Word, value: Word) -> bool {
        // SAFETY: `k` is a continuation; the innermost handling frame is complete.
        unsafe {
            let at = self.isolate.state.stack.handling;
            if at.is_null() || at.add(handling::SIZE) != nfp || *at.add(handling::RESUME) != k {
                return false;
            }
            let stack = &mut self.isolate.state.stack;
            if !planted(Fault::MarkNotRestored) {
                stack.mark = at.sub(int_slot(at, handling::MARK) as usize);
            }
            stack.handling = next_below(at);
            self.wait_below(at, 0);
            self.resume_frame(value);
            true
        }
    }

    /// The handler above the handling frame `at` has returned: so does its `with-handler`.
    pub(super) unsafe fn end_handling(&mut self, at: *mut Word) -> Word {
        // SAFETY: the handling frame was the running one and its slots are in the window.
        unsafe {
            let value = *at.add(handling::VALUE);
            let marker = at.sub(int_slot(at, handling::MARKER) as usize);
            self.isolate.state.stack.handling = next_below(at);
            self.wait_below(marker, 0);
            value
        }
    }

    /// Is there a handling frame between here and what was found?
    pub(super) fn is_across(&self, found: &Found) -> bool {
        found.frame < self.isolate.state.stack.handling
    }

    /// The stack has been cut at `to`: handling frames above it are gone.
    pub(super) unsafe fn drop_handling(&mut self, to: *mut Word) {
        let stack = &mut self.isolate.state.stack;
        while !stack.handling.is_null() && stack.handling >= to {
            // SAFETY: the words of the frame are still there.
            stack.handling = unsafe { next_below(stack.handling) };
        }
    }

    // --- settling ----------------------------------------------------------------------------------

    /// Leaves no handling frame on the stack: every handler above one gets its continuation and is
    /// moved down to where its marker was. The `words` words at `nfp` move along; answers where
    /// they are.
    ///
    /// # Safety
    /// As for `seal_below`.
    pub(super) unsafe fn settle(&mut self, nfp: *mut Word, words: usize) -> Result<*mut Word, Raise> {
        let mut nfp = nfp;
        // SAFETY: by the caller.
        unsafe {
            while !self.isolate.state.stack.handling.is_null() {
                let mut lowest = self.isolate.state.stack.handling;
                while !next_below(lowest).is_null() {
                    lowest = next_below(lowest);
                }
                nfp = self.settle_one(lowest, nfp, words)?;
            }
        }
        Ok(nfp)
    }

    unsafe fn settle_one(&mut self, at: *mut Word, nfp: *mut Word, words: usize) -> Result<*mut Word, Raise> {
        // SAFETY: `at` is the lowest handling frame; frames on the stack do not move in a collection.
        unsafe {
            let marker = at.sub(int_slot(at, handling::MARKER) as usize);
            let n = distance(marker, at);
            self.reserve(kont_bytes(n))?;
            self.make_continuation(at, marker, n);
            let mut from = nfp;
            while caller(from).0 != at {
                from = caller(from).0;
            }
            let by = distance(marker, from);
            self.relink_above(at, from, nfp);
            std::ptr::copy(from, marker, distance(from, nfp.add(words)));
            let nfp = nfp.sub(by);
            self.wait_below(nfp, words);
            Ok(nfp)
        }
    }

    /// The continuation of the handling frame `at` gets the `n` words of frames from its handler's
    /// marker on; room was reserved.
    unsafe fn make_continuation(&mut self, at: *mut Word, marker: *mut Word, n: usize) {
        // SAFETY: the frames below `at` are complete and wait at their calls.
        unsafe {
            let k = self.new_kont(n);
            let seen = self.isolate.state.stack.mark;
            self.isolate.state.stack.mark = at.sub(int_slot(at, handling::MARK) as usize);
            let innermost = self.copy_frames(marker, at, kont_words(k), 0);
            self.isolate.state.stack.mark = seen;
            let resume = *at.add(handling::RESUME);
            let innermost = innermost.map_or(-1, |m| m as i64);
            object::set_field_raw(resume, continuation::MARK, Word::fixnum(innermost).0);
            object::set_field_raw(resume, continuation::KIND, Word::fixnum(DELIMITED).0);
            self.isolate.heap.write(resume, continuation::KONT, k);
        }
    }

    /// The frames from `from` up to `nfp` are about to move down to the marker of the handling frame
    /// `at`, which goes: distances that lead below it become shorter.
    unsafe fn relink_above(&mut self, at: *mut Word, from: *mut Word, nfp: *mut Word) {
        // SAFETY: frames between `from` and `nfp` are complete and wait at their calls.
        unsafe {
            let by = int_slot(at, handling::MARKER) as usize + distance(at, from);
            let shorten = |fp: *mut Word, slot: usize| {
                let there = int_slot(fp, slot) as usize;
                if there != 0 && fp.sub(there) < at {
                    *fp.add(slot) = Word::fixnum((there - by) as i64);
                }
            };
            let mut above = nfp;
            while above > from {
                let (fp, pc) = caller(above);
                if is_frame_of(fp, self.cursor) || is_frame_of(fp, self.marker) && pc == MARKER_CALL {
                    shorten(fp, marker::LINK);
                } else if is_frame_of(fp, self.handling) {
                    shorten(fp, handling::MARKER);
                    shorten(fp, handling::MARK);
                    if next_below(fp) == at {
                        *fp.add(handling::LINK) = Word::fixnum(0);
                    }
                }
                above = fp;
            }
            let stack = &mut self.isolate.state.stack;
            if !stack.mark.is_null() && stack.mark >= from {
                stack.mark = stack.mark.sub(by);
            }
            stack.handling = match stack.handling >= from {
                true => stack.handling.sub(by),
                false => std::ptr::null_mut(),
            };
        }
    }
}

/// The site word of every handling frame.
const WAITS: Word = Site {
    pc: 0,
    base: handling::SIZE,
}
.word();

/// The frame that waits below `nfp`, and the call it waits for.
unsafe fn caller(nfp: *mut Word) -> (*mut Word, usize) {
    // SAFETY: the site word below `nfp` is true.
    unsafe {
        let site = Site::of(*nfp.sub(1));
        (nfp.sub(site.base), site.pc)
    }
}

/// The handling frame below the one at `fp`, null if it is the lowest.
unsafe fn next_below(fp: *mut Word) -> *mut Word {
    // SAFETY: `fp` is a handling frame.
    unsafe {
        match int_slot(fp, handling::LINK) as usize {
            0 => std::ptr::null_mut(),
            link => fp.sub(link),
        }
    }
}
