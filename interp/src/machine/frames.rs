//! Moving frames: sealing them into Konts, giving them back one at a time, cutting the stack to
//! a marker, putting a continuation on top.
//!
//! Frames only ever leave the stack by copy into an immutable Kont, and only ever come back
//! through a cursor frame, one per return. A Kont is never changed and never linked to another;
//! a cursor copied into a Kont is what connects them.

use super::marks::{Found, Hop, hop_of, int_slot, kont_words};
use super::{Exit, Machine, built, is_frame_of};
use crate::control::mark;
use sx_runtime::error::Raise;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::heap::Heap;
use sx_runtime::instance::instance_of;
use sx_runtime::object::{self, Type, continuation, kont};
use sx_runtime::stack::{Site, cursor, marker};
use sx_runtime::value::{Value, Word};

/// Kinds of continuation object.
const FULL: i64 = 0;
const DELIMITED: i64 = 1;

const KONT_HEADER: usize = kont::WORDS;

type Step = Result<(), Box<Exit>>;

fn kont_bytes(words: usize) -> usize {
    8 * (KONT_HEADER + words)
}

/// The site word of every cursor.
const CURSOR_SITE: Word = Site {
    pc: 0,
    base: cursor::SIZE,
}
.word();

/// Words from `lo` to `hi`.
unsafe fn distance(lo: *const Word, hi: *const Word) -> usize {
    // SAFETY: both point into the stack segment, `lo` not above `hi`.
    unsafe { hi.offset_from(lo) as usize }
}

impl Machine {
    /// The lowest frame of the program.
    fn floor(&self) -> *mut Word {
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
    unsafe fn place_cursor(&mut self, at: *mut Word, hop: Hop) -> *mut Word {
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
    unsafe fn innermost(&self, hop: Hop) -> Hop {
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
    unsafe fn new_kont(&self, n: usize) -> Word {
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
    unsafe fn copy_frames(&self, lo: *mut Word, hi: *mut Word, to: *mut Word, below: usize) -> Option<usize> {
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

    /// The continuation from the frame that waits below `nfp` up to and with the found marker.
    /// `payload` finds the marker again after a collection.
    ///
    /// # Safety
    /// The frame below `nfp` waits, and `nfp` is the window.
    pub(super) unsafe fn capture(&mut self, found: Found, nfp: *mut Word) -> Result<(Word, Found), Raise> {
        // SAFETY: by the caller.
        unsafe {
            let n = capture_words(&found, nfp);
            let bytes = kont_bytes(n) + Heap::size_of(4) + found.winds * Heap::size_of(2);
            let found = if self.isolate.heap.has_room(bytes) {
                found
            } else {
                let row = self.isolate.state.kept.len();
                self.isolate.state.kept.push(found.payload);
                let room = self.reserve(bytes);
                let payload = self.isolate.state.kept[row];
                self.isolate.state.kept.truncate(row);
                room?;
                self.find_payload(payload).ok_or_else(lost_marker)?
            };
            Ok((self.build_capture(&found, nfp), found))
        }
    }

    /// Builds the continuation; room was reserved.
    unsafe fn build_capture(&mut self, found: &Found, nfp: *mut Word) -> Word {
        // SAFETY: see `capture`.
        unsafe {
            let k = self.new_kont(capture_words(found, nfp));
            let words = kont_words(k);
            let mut at = 0;
            let mut last_cursor: Option<usize> = None;
            for (i, hop) in found.hops.iter().enumerate().rev() {
                let innermost = i + 1 == found.hops.len();
                let stop = if innermost { hop.inner } else { hop.inner + cursor::SIZE };
                let mark = if hop.mark >= stop as i64 { hop.mark } else { -1 };
                if hop.index > stop {
                    let link = last_cursor.map_or(0, |c| at - c);
                    let hop = self.innermost(Hop { stop, mark, ..*hop });
                    write_cursor(words.add(at), self.cursor, hop, link);
                    last_cursor = Some(at);
                    at += cursor::SIZE;
                }
            }
            let lo = if found.hops.is_empty() {
                found.frame
            } else {
                found.frame.add(cursor::SIZE)
            };
            let below = last_cursor.map_or(0, |c| at - c);
            let innermost = self.copy_frames(lo, nfp, words.add(at), below).map(|m| at + m);
            let mark = innermost.or(last_cursor).map_or(-1, |m| m as i64);
            let prefix = self.copy_winds(found.winds);
            self.continuation(k, mark, DELIMITED, prefix)
        }
    }

    /// A list of the innermost `n` winds; room was reserved.
    unsafe fn copy_winds(&self, n: usize) -> Word {
        // SAFETY: `winds` is a list of pairs.
        unsafe {
            let mut items = vec![];
            let mut list = self.isolate.state.stack.winds;
            for _ in 0..n {
                items.push(object::field(list, object::pair::CAR));
                list = object::field(list, object::pair::CDR);
            }
            self.push_winds(&items, Word::EMPTY)
        }
    }

    /// `items` before `list`; room was reserved.
    unsafe fn push_winds(&self, items: &[Word], list: Word) -> Word {
        // SAFETY: the words are live.
        let cons = |tail, item: &Word| unsafe {
            self.isolate
                .heap
                .cons(Value::from_raw(*item), Value::from_raw(tail))
                .word()
        };
        items.iter().rev().fold(list, cons)
    }

    unsafe fn continuation(&self, kont: Word, mark: i64, kind: i64, extra: Word) -> Word {
        // SAFETY: room was reserved; all fields follow at once.
        unsafe {
            let k = self.isolate.heap.alloc(Type::Continuation, 0, 5);
            object::set_field_raw(k, continuation::KONT, kont.0);
            object::set_field_raw(k, continuation::MARK, Word::fixnum(mark).0);
            object::set_field_raw(k, continuation::KIND, Word::fixnum(kind).0);
            object::set_field_raw(k, continuation::EXTRA, extra.0);
            k
        }
    }

    /// The continuation of everything below `nfp`, which `seal_below` has just sealed: it is what
    /// the one cursor left on the stack stands for.
    pub(super) unsafe fn capture_all(&mut self, nfp: *mut Word) -> Result<Word, Raise> {
        let floor = self.floor();
        // SAFETY: as for `seal_below`.
        unsafe {
            self.reserve(kont_bytes(cursor::SIZE) + Heap::size_of(4))?;
            let winds = self.isolate.state.stack.winds;
            if nfp == floor {
                return Ok(self.continuation(self.new_kont(0), -1, FULL, winds));
            }
            let mut hop = hop_of(floor);
            let whole = object::field(hop.kont, kont::LEN) == Word::fixnum(hop.index as i64) && hop.stop == 0;
            if !whole {
                let k = self.new_kont(cursor::SIZE);
                write_cursor(kont_words(k), self.cursor, hop, 0);
                hop = Hop {
                    kont: k,
                    index: cursor::SIZE,
                    stop: 0,
                    mark: 0,
                    inner: 0,
                };
                write_cursor(floor, self.cursor, hop, 0);
            }
            Ok(self.continuation(hop.kont, hop.mark, FULL, winds))
        }
    }

    /// The winds a full continuation lies in; a delimited one lies in none of its own.
    pub(super) unsafe fn continuation_winds(&self, k: Word) -> Result<Word, Raise> {
        // SAFETY: the type is checked.
        unsafe {
            if !object::is_type(k, Type::Continuation) || self.is_delimited(k) {
                return Err(Raise::new(sx_runtime::error::Code::Type, "expected a continuation"));
            }
            Ok(object::field(k, continuation::EXTRA))
        }
    }

    /// Cuts the stack down to the found marker, which goes too. Answers where the next frame
    /// goes.
    ///
    /// # Safety
    /// Nothing has collected since the marker was found.
    pub(super) unsafe fn cut(&mut self, found: &Found) -> *mut Word {
        // SAFETY: by the caller.
        unsafe {
            self.isolate.state.stack.mark = link_target(found.frame);
            let mut at = found.frame;
            for hop in &found.hops {
                let inner = kont_words(hop.kont).add(hop.inner);
                let link = int_slot(inner, marker::LINK);
                let mark = if link == 0 { -1 } else { hop.inner as i64 - link };
                at = self.place_cursor(
                    at,
                    Hop {
                        index: hop.inner,
                        mark,
                        ..*hop
                    },
                );
            }
            let mut winds = self.isolate.state.stack.winds;
            for _ in 0..found.winds + found.is_wind as usize {
                winds = object::field(winds, object::pair::CDR);
            }
            self.isolate.state.stack.winds = winds;
            at
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
            self.give(nfp, k, value);
        }
        Ok(())
    }

    /// Replaces the whole stack by the full continuation `k` and gives it `value`.
    pub(super) unsafe fn throw(&mut self, k: Word, value: Word) -> Step {
        // SAFETY: `k` is a full continuation.
        unsafe {
            self.isolate.state.stack.winds = object::field(k, continuation::EXTRA);
            self.isolate.state.stack.mark = std::ptr::null_mut();
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
            self.isolate.state.stack.mark = std::ptr::null_mut();
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

fn lost_marker() -> Raise {
    Raise::new(
        sx_runtime::error::Code::Control,
        "the extent this belongs to has been left",
    )
}

/// How many words a capture takes at most; what is not needed of it stays unused at the end.
unsafe fn capture_words(found: &Found, nfp: *const Word) -> usize {
    // SAFETY: the marker lies below `nfp`.
    unsafe {
        if found.hops.is_empty() {
            return distance(found.frame, nfp);
        }
        let cursors = found.hops.iter().enumerate().filter(|(i, hop)| {
            let innermost = i + 1 == found.hops.len();
            hop.index > if innermost { hop.inner } else { hop.inner + cursor::SIZE }
        });
        cursors.count() * cursor::SIZE + distance(found.frame.add(cursor::SIZE), nfp)
    }
}

/// Writes a cursor frame.
unsafe fn write_cursor(at: *mut Word, closure: Word, hop: Hop, link: usize) {
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
unsafe fn link_target(fp: *mut Word) -> *mut Word {
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
        for s in 1..site.base - 1 {
            if live.get(s / 64).is_none_or(|w| w >> (s % 64) & 1 == 0) {
                *frame.add(s) = Word::NIL;
            }
        }
    }
}
