//! Moving frames: sealing them into Konts and giving them back, putting a continuation on top.
//!
//! Frames only ever leave the stack by copy into an immutable Kont. They come back through a cursor
//! frame, one per return; those of a small delimited continuation all at once. A Kont is never
//! changed and never linked to another; a cursor copied into a Kont is what connects them.

use super::marks::{Hop, hop_of, int_slot, kont_words};
use super::{Exit, Machine, built, is_frame_of};
use crate::control::mark;
use sx_runtime::error::Raise;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::heap::Heap;
use sx_runtime::instance::instance_of;
use sx_runtime::object::{self, Type, continuation, kont};
use sx_runtime::stack::{Site, cursor, marker};
use sx_runtime::value::Word;

/// Kinds of continuation object.
pub(super) const FULL: i64 = 0;
pub(super) const DELIMITED: i64 = 1;
/// What a handler that runs on top of whoever performs has: nothing yet.
pub(super) const UNMADE: i64 = 2;

const KONT_HEADER: usize = kont::WORDS;

/// A delimited continuation of at most this many words comes back as a whole.
const SMALL: usize = 48;

type Step = Result<(), Box<Exit>>;

pub(super) fn kont_bytes(words: usize) -> usize {
    8 * (KONT_HEADER + words)
}

/// The site word of every cursor.
const CURSOR_SITE: Word = Site {
    pc: 0,
    base: cursor::SIZE,
}
.word();

/// Words from `lo` to `hi`.
pub(super) unsafe fn distance(lo: *const Word, hi: *const Word) -> usize {
    // SAFETY: both point into the stack segment, `lo` not above `hi`.
    unsafe { hi.offset_from(lo) as usize }
}

impl Machine {
    /// The lowest frame of the program.
    pub(super) fn floor(&self) -> *mut Word {
        // SAFETY: the segment is larger than the halt frame.
        unsafe { self.isolate.state.stack.bottom().add(built::HALT_SIZE) }
    }

    pub(super) unsafe fn is_delimited(&self, k: Word) -> bool {
        // SAFETY: `k` is a continuation.
        unsafe { object::field(k, continuation::KIND) == Word::fixnum(DELIMITED) }
    }

    /// Puts a cursor at `at` if it has any frames to give; answers where the next frame goes.
    ///
    /// # Safety
    /// `at` is above complete frames with a true site word below it.
    pub(super) unsafe fn place_cursor(&mut self, at: *mut Word, hop: Hop) -> *mut Word {
        if hop.index == hop.stop {
            return at;
        }
        // SAFETY: frames in a Kont are complete.
        let hop = unsafe { self.innermost(hop) };
        let stack = &mut self.isolate.state.stack;
        // SAFETY: the segment has room for a cursor above every frame.
        unsafe {
            let link = if stack.mark.is_null() {
                0
            } else {
                distance(stack.mark, at)
            };
            write_cursor(at, self.cursor, hop, link);
            stack.mark = at;
            at.add(cursor::SIZE)
        }
    }

    /// What is left to give when all that is left is a cursor: what that cursor stands for. Without
    /// this a generator's cursors would nest deeper with every turn.
    pub(super) unsafe fn innermost(&self, hop: Hop) -> Hop {
        let mut hop = hop;
        // SAFETY: frames in a Kont are complete.
        unsafe {
            while hop.index - hop.stop == cursor::SIZE {
                let frame = kont_words(hop.kont).add(hop.stop);
                if !is_frame_of(frame, self.cursor) {
                    break;
                }
                hop = hop_of(frame);
            }
        }
        hop
    }

    /// Allocates a Kont of `n` words, for which room was reserved.
    pub(super) unsafe fn new_kont(&self, n: usize) -> Word {
        // SAFETY: the caller reserved the bytes and fills the words at once.
        unsafe {
            let k = self.isolate.heap.alloc(Type::Kont, 0, KONT_HEADER + n);
            object::set_field_raw(k, kont::LEN, Word::fixnum(n as i64).0);
            k
        }
    }

    /// Copies the frames from `lo` to `hi` to `to`, without the values nothing will read.
    /// `below` is the distance from the copy to the marker frame that comes below it in the
    /// Kont, 0 if there is none. Answers the offset of the innermost marker frame, if any.
    pub(super) unsafe fn copy_frames(
        &self,
        lo: *mut Word,
        hi: *mut Word,
        to: *mut Word,
        below: usize,
    ) -> Option<usize> {
        // SAFETY: frames between `lo` and `hi` are complete and wait at their calls.
        unsafe {
            std::ptr::copy_nonoverlapping(lo, to, distance(lo, hi));
            let mut end = hi;
            while end > lo {
                let site = Site::of(*end.sub(1));
                let fp = end.sub(site.base);
                let copy = to.add(distance(lo, fp));
                if is_frame_of(fp, self.cursor) {
                    *copy.add(cursor::VALUE) = Word::NIL;
                } else {
                    clear_dead(copy, site);
                    if planted(Fault::SealedSlotWrong) && site.base > 3 && !is_frame_of(fp, self.marker) {
                        *copy.add(site.base - 2) = Word::NIL;
                    }
                }
                end = fp;
            }
            let mut innermost = None;
            let mut m = self.isolate.state.stack.mark;
            while !m.is_null() && m >= lo {
                let offset = distance(lo, m);
                innermost = innermost.or(Some(offset));
                let link = int_slot(m, marker::LINK) as usize;
                if link == 0 || link > offset {
                    let new = if below == 0 { 0 } else { offset + below };
                    *to.add(offset + marker::LINK) = Word::fixnum(new as i64);
                    break;
                }
                m = m.sub(link);
            }
            innermost
        }
    }

    /// Moves every frame below `nfp` into a Kont. The `words` words at `nfp`, a frame about to
    /// begin, are moved down to stay on top; answers where they are.
    ///
    /// # Safety
    /// The frame below waits at its call, and `nfp` is the window.
    pub(super) unsafe fn seal_below(&mut self, nfp: *mut Word, words: usize) -> Result<*mut Word, Raise> {
        let floor = self.floor();
        // SAFETY: by the caller.
        unsafe {
            let nfp = self.settle(nfp, words)?;
            let n = distance(floor, nfp);
            if n == 0 || (n == cursor::SIZE && is_frame_of(floor, self.cursor)) {
                return Ok(nfp);
            }
            self.reserve(kont_bytes(n))?;
            let k = self.new_kont(n);
            let innermost = self.copy_frames(floor, nfp, kont_words(k), 0);
            self.isolate.state.stack.mark = std::ptr::null_mut();
            let mark = innermost.map_or(-1, |m| m as i64);
            // First the words: the cursor may be larger than what lay below them.
            std::ptr::copy(nfp, floor.add(cursor::SIZE), words);
            let to = self.place_cursor(
                floor,
                Hop {
                    kont: k,
                    index: n,
                    stop: 0,
                    mark,
                    inner: 0,
                },
            );
            self.wait_below(to, words);
            Ok(to)
        }
    }

    /// The value that was returned into the running cursor frame goes to the next frame of its
    /// Kont, which becomes the running frame.
    pub(super) unsafe fn underflow(&mut self) -> Step {
        // SAFETY: the running frame is a cursor with frames left.
        unsafe {
            let fp = self.isolate.state.stack.fp;
            let value = *fp.add(cursor::VALUE);
            let hop = hop_of(fp);
            let words = kont_words(hop.kont);
            let site = Site::of(*words.add(hop.index - 1));
            let start = hop.index - site.base;
            let last = start == if planted(Fault::CursorStopIgnored) { 0 } else { hop.stop };
            let stack = &mut self.isolate.state.stack;
            let to = if last { fp } else { fp.add(cursor::SIZE) };
            if last {
                stack.mark = link_target(fp);
            } else {
                *fp.add(cursor::INDEX) = Word::fixnum(start as i64);
            }
            std::ptr::copy_nonoverlapping(words.add(start), to, site.base);
            if is_frame_of(to, self.marker) || is_frame_of(to, self.cursor) {
                let link = int_slot(to, marker::LINK);
                if !last {
                    let rest = if link == 0 { -1 } else { start as i64 - link };
                    *fp.add(cursor::MARK) = Word::fixnum(rest);
                }
                let stack = &mut self.isolate.state.stack;
                let new = if stack.mark.is_null() {
                    0
                } else {
                    distance(stack.mark, to)
                };
                *to.add(marker::LINK) = Word::fixnum(new as i64);
                if !planted(Fault::MarkerChainWrong) {
                    stack.mark = to;
                }
            }
            if !last {
                self.skip_nested(fp);
            }
            let stack = &mut self.isolate.state.stack;
            stack.fp = to;
            stack.pc = site.pc;
            self.resume_frame(value);
        }
        Ok(())
    }

    /// Makes the cursor at `fp` stand for what the one cursor left in its Kont stands for.
    unsafe fn skip_nested(&mut self, fp: *mut Word) {
        // SAFETY: `fp` is a cursor frame with frames left.
        unsafe {
            let (old, new) = (hop_of(fp), self.innermost(hop_of(fp)));
            if new.kont != old.kont {
                *fp.add(cursor::KONT) = new.kont;
                *fp.add(cursor::INDEX) = Word::fixnum(new.index as i64);
                *fp.add(cursor::STOP) = Word::fixnum(new.stop as i64);
                *fp.add(cursor::MARK) = Word::fixnum(new.mark);
            }
        }
    }

    /// Puts the delimited continuation `k` at `nfp` and gives it `value`. Both are in the window.
    ///
    /// # Safety
    /// The frame below `nfp` waits; `nfp[0]` is `k` and `nfp[1]` the value, and they the window.
    pub(super) unsafe fn resume_at(&mut self, nfp: *mut Word, k: Word, value: Word) -> Step {
        // SAFETY: by the caller.
        unsafe {
            let (mut k, mut value) = (k, value);
            if object::field(k, continuation::EXTRA) != Word::EMPTY {
                let mut n = 0;
                let mut list = object::field(k, continuation::EXTRA);
                while list != Word::EMPTY {
                    n += 1;
                    list = object::field(list, object::pair::CDR);
                }
                if let Err(raise) = self.reserve(n * Heap::size_of(2)) {
                    return self.raise(raise);
                }
                (k, value) = (*nfp, *nfp.add(1));
                let mut items = vec![];
                let mut list = object::field(k, continuation::EXTRA);
                while list != Word::EMPTY {
                    items.push(object::field(list, object::pair::CAR));
                    list = object::field(list, object::pair::CDR);
                }
                if !planted(Fault::WindsLost) {
                    self.isolate.state.stack.winds = self.push_winds(&items, self.isolate.state.stack.winds);
                }
            }
            if !self.give_all(nfp, k, value) {
                self.give(nfp, k, value);
            }
        }
        Ok(())
    }

    /// Replaces the whole stack by the full continuation `k` and gives it `value`.
    pub(super) unsafe fn throw(&mut self, k: Word, value: Word) -> Step {
        // SAFETY: `k` is a full continuation.
        unsafe {
            self.isolate.state.stack.winds = object::field(k, continuation::EXTRA);
            self.isolate.state.stack.forget_marks();
            self.give(self.floor(), k, value);
        }
        Ok(())
    }

    /// Replaces the whole stack by the frames of the full continuation `k`; answers where a frame
    /// above them goes.
    pub(super) unsafe fn put_frames(&mut self, k: Word) -> *mut Word {
        // SAFETY: `k` is a full continuation.
        unsafe {
            self.isolate.state.stack.winds = object::field(k, continuation::EXTRA);
            self.isolate.state.stack.forget_marks();
            let kont = object::field(k, continuation::KONT);
            let hop = Hop {
                kont,
                index: object::field(kont, kont::LEN).as_fixnum() as usize,
                stop: 0,
                mark: object::field(k, continuation::MARK).as_fixnum(),
                inner: 0,
            };
            self.place_cursor(self.floor(), hop)
        }
    }

    /// Puts all frames of the small delimited continuation `k` back at `at` and gives `value` to the
    /// innermost; false, and nothing done, if they are many, if there is a cursor among them, or
    /// if there is no room.
    unsafe fn give_all(&mut self, at: *mut Word, k: Word, value: Word) -> bool {
        // SAFETY: `at` is above complete frames; `k` is a delimited continuation.
        unsafe {
            let kont = object::field(k, continuation::KONT);
            let n = object::field(kont, kont::LEN).as_fixnum() as usize;
            let innermost = object::field(k, continuation::MARK).as_fixnum();
            if n == 0 || n > SMALL || at.add(n) as usize > self.isolate.state.stack.real_limit() {
                return false;
            }
            let words = kont_words(kont);
            let mut lowest = innermost;
            while lowest >= 0 {
                if is_frame_of(words.add(lowest as usize), self.cursor) {
                    return false;
                }
                match int_slot(words.add(lowest as usize), marker::LINK) {
                    0 => break,
                    link => lowest -= link,
                }
            }
            std::ptr::copy_nonoverlapping(words, at, n);
            let stack = &mut self.isolate.state.stack;
            if lowest >= 0 {
                let lowest = at.add(lowest as usize);
                let link = match stack.mark.is_null() {
                    true => 0,
                    false => distance(stack.mark, lowest),
                };
                *lowest.add(marker::LINK) = Word::fixnum(link as i64);
                if !planted(Fault::MarkerChainWrong) {
                    stack.mark = at.add(innermost as usize);
                }
            }
            let top = at.add(n);
            self.wait_below(top, 0);
            self.resume_frame(value);
            true
        }
    }

    /// A cursor for the Kont of `k` at `at`, about to hand `value` to its innermost frame.
    unsafe fn give(&mut self, at: *mut Word, k: Word, value: Word) {
        // SAFETY: `at` is above complete frames; `k` is a continuation.
        unsafe {
            let kont = object::field(k, continuation::KONT);
            let index = object::field(kont, kont::LEN).as_fixnum() as usize;
            let mark = object::field(k, continuation::MARK).as_fixnum();
            if self.place_cursor(
                at,
                Hop {
                    kont,
                    index,
                    stop: 0,
                    mark,
                    inner: 0,
                },
            ) == at
            {
                self.wait_below(at, 0);
                return self.resume_frame(value);
            }
            *at.add(cursor::VALUE) = value;
            let stack = &mut self.isolate.state.stack;
            stack.fp = at;
            stack.pc = 1;
            stack.at_call = false;
            stack.window.1 = 0;
        }
    }

    /// The running frame becomes the innermost marker.
    pub(super) unsafe fn push_mark(&mut self) -> Result<(), Raise> {
        // SAFETY: the running frame is a marker frame.
        unsafe {
            let fp = self.isolate.state.stack.fp;
            if int_slot(fp, marker::KIND) == mark::WIND {
                self.reserve(Heap::size_of(2))?;
                let winds = self.isolate.state.stack.winds;
                self.isolate.state.stack.winds = self.push_winds(&[*fp.add(marker::PAYLOAD)], winds);
            }
            let stack = &mut self.isolate.state.stack;
            let link = if stack.mark.is_null() {
                0
            } else {
                distance(stack.mark, fp)
            };
            *fp.add(marker::LINK) = Word::fixnum(link as i64);
            stack.mark = fp;
        }
        Ok(())
    }

    /// The running frame, the innermost marker, is one no more.
    pub(super) unsafe fn pop_mark(&mut self) {
        // SAFETY: the running frame is the innermost marker.
        unsafe {
            let stack = &mut self.isolate.state.stack;
            debug_assert_eq!(stack.mark, stack.fp);
            if int_slot(stack.fp, marker::KIND) == mark::WIND && !planted(Fault::WindTwice) {
                stack.winds = object::field(stack.winds, object::pair::CDR);
            }
            stack.mark = link_target(stack.fp);
        }
    }
}

/// Writes a cursor frame.
pub(super) unsafe fn write_cursor(at: *mut Word, closure: Word, hop: Hop, link: usize) {
    // SAFETY: the caller has room at `at`.
    unsafe {
        *at = closure;
        *at.add(cursor::KONT) = hop.kont;
        *at.add(cursor::INDEX) = Word::fixnum(hop.index as i64);
        *at.add(cursor::STOP) = Word::fixnum(hop.stop as i64);
        *at.add(cursor::LINK) = Word::fixnum(link as i64);
        *at.add(cursor::MARK) = Word::fixnum(hop.mark);
        *at.add(cursor::VALUE) = Word::NIL;
        *at.add(cursor::SIZE - 1) = CURSOR_SITE;
    }
}

/// The marker or cursor below the one at `fp`, null if it is the lowest.
pub(super) unsafe fn link_target(fp: *mut Word) -> *mut Word {
    // SAFETY: `fp` is a marker or cursor frame on the stack.
    unsafe {
        match int_slot(fp, marker::LINK) as usize {
            0 => std::ptr::null_mut(),
            link => fp.sub(link),
        }
    }
}

/// Overwrites the slots of a copied frame that nothing will read.
unsafe fn clear_dead(frame: *mut Word, site: Site) {
    // SAFETY: the frame is complete up to its site word.
    unsafe {
        let live = instance_of(*frame).chunk.live_after(site.pc).unwrap_or(&[]);
        // Slot 0 is the function, the last word the site.
        let slots = 1..site.base - 1;
        for (i, first) in (0..slots.end).step_by(64).enumerate() {
            let mut dead = !live.get(i).copied().unwrap_or(0);
            if first == 0 {
                dead &= !1;
            }
            if slots.end - first < 64 {
                dead &= (1 << (slots.end - first)) - 1;
            }
            while dead != 0 {
                *frame.add(first + dead.trailing_zeros() as usize) = Word::NIL;
                dead &= dead - 1;
            }
        }
    }
}
