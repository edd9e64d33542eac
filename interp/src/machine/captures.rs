//! Making continuations of what is on the stack, and cutting the stack to a marker.
//!
//! A delimited continuation has copies of the frames above a marker, and the marker; a full one
//! has the Kont that everything was sealed into. Frames a search found in Konts are not copied:
//! the capture has cursors for them.
//!
//! Deliberately absent: sealing, and how a continuation comes back (`frames.rs`).

use super::Machine;
use super::frames::{DELIMITED, FULL, distance, kont_bytes, link_target, write_cursor};
use super::marks::{Found, Hop, hop_of, int_slot, kont_words};
use sx_runtime::error::{Code, Raise};
use sx_runtime::heap::Heap;
use sx_runtime::object::{self, Type, continuation, kont};
use sx_runtime::stack::{cursor, marker};
use sx_runtime::value::{Value, Word};

impl Machine {
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

    /// The continuation from the frame that waits below `nfp` up to and with the innermost marker,
    /// which is on the stack.
    ///
    /// # Safety
    /// The frame below `nfp` waits, and `nfp` is the window.
    pub(super) unsafe fn capture_top(&mut self, nfp: *mut Word) -> Result<Word, Raise> {
        // SAFETY: by the caller; frames on the stack do not move in a collection.
        unsafe {
            let lo = self.isolate.state.stack.mark;
            let n = distance(lo, nfp);
            self.reserve(kont_bytes(n) + Heap::size_of(4))?;
            let k = self.new_kont(n);
            self.copy_frames(lo, nfp, kont_words(k), 0);
            Ok(self.continuation(k, 0, DELIMITED, Word::EMPTY))
        }
    }

    /// Cuts the stack down to its innermost marker, which goes too and is no wind.
    pub(super) unsafe fn cut_top(&mut self) -> *mut Word {
        let stack = &mut self.isolate.state.stack;
        let at = stack.mark;
        // SAFETY: there is a marker.
        stack.mark = unsafe { link_target(at) };
        at
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
    pub(super) unsafe fn push_winds(&self, items: &[Word], list: Word) -> Word {
        // SAFETY: the words are live.
        let cons = |tail, item: &Word| unsafe {
            self.isolate
                .heap
                .cons(Value::from_raw(*item), Value::from_raw(tail))
                .word()
        };
        items.iter().rev().fold(list, cons)
    }

    pub(super) unsafe fn continuation(&self, kont: Word, mark: i64, kind: i64, extra: Word) -> Word {
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
                return Err(Raise::new(Code::Type, "expected a continuation"));
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
            self.drop_handling(found.frame);
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
}

fn lost_marker() -> Raise {
    Raise::new(Code::Control, "the extent this belongs to has been left")
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
