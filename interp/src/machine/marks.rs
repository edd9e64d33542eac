//! Searching the chain of markers, through Konts too, without copying anything.

use super::Machine;
use crate::control::mark;
use smallvec::{SmallVec, smallvec};
use sx_runtime::fault::{Fault, planted};
use sx_runtime::object;
use sx_runtime::stack::{cursor, marker};
use sx_runtime::value::{Value, Word};

/// A cursor on the way to a marker: which Kont the search went into, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    /// The Kont the cursor stands for.
    pub kont: Word,
    /// Its end of frames not returned to yet.
    pub index: usize,
    /// Its beginning of frames.
    pub stop: usize,
    /// Start of its innermost marker or cursor frame.
    pub mark: i64,
    /// Where the next cursor's frame, or the marker's, starts in the Kont.
    pub inner: usize,
}

/// Few searches go through more Konts.
type Hops = SmallVec<[Hop; 4]>;

/// A marker that was found. Holds raw words: use it before anything collects.
#[derive(Debug)]
pub(super) struct Found {
    /// The stack frame: the marker itself, or the cursor the search went into.
    pub frame: *mut Word,
    /// The Konts the search went through, outermost first; empty if the marker is on the stack.
    pub hops: Hops,
    /// The marker's payload.
    pub payload: Word,
    /// Winds entered inside it.
    pub winds: usize,
    /// Is it a wind itself?
    pub is_wind: bool,
}

/// A marker as the search shows it.
pub(super) struct MarkView {
    pub kind: i64,
    pub payload: Word,
}

/// The words of a Kont.
///
/// # Safety
/// `kont` is a live Kont.
pub(super) unsafe fn kont_words(kont: Word) -> *mut Word {
    object::place(kont.address(), object::kont::WORDS) as *mut Word
}

/// # Safety
/// `fp` is a frame with a slot `i` that holds a fixnum.
pub(super) unsafe fn int_slot(fp: *const Word, i: usize) -> i64 {
    // SAFETY: by the caller.
    unsafe { (*fp.add(i)).as_fixnum() }
}

/// The hop through the cursor frame at `fp`.
///
/// # Safety
/// `fp` is a cursor frame.
pub(super) unsafe fn hop_of(fp: *const Word) -> Hop {
    // SAFETY: by the caller.
    unsafe {
        Hop {
            kont: *fp.add(cursor::KONT),
            index: int_slot(fp, cursor::INDEX) as usize,
            stop: int_slot(fp, cursor::STOP) as usize,
            mark: int_slot(fp, cursor::MARK),
            inner: 0,
        }
    }
}

impl Machine {
    /// The nearest marker for which `test` says yes.
    pub(super) fn find_mark(&self, mut test: impl FnMut(&MarkView) -> bool) -> Option<Found> {
        let mut winds = 0;
        let mut fp = self.isolate.state.stack.mark;
        // SAFETY: the chain from `mark` consists of marker and cursor frames, on the stack and
        // in live Konts; nothing collects during the search.
        unsafe {
            while !fp.is_null() {
                if super::is_frame_of(fp, self.cursor) {
                    if let Some((hops, view)) = self.find_in_konts(fp, &mut winds, &mut test) {
                        return Some(view.found(fp, hops, winds));
                    }
                } else if let Some(view) = visit(fp, &mut winds, &mut test) {
                    return Some(view.found(fp, SmallVec::new(), winds));
                }
                let link = int_slot(fp, marker::LINK) as usize;
                fp = if link == 0 { std::ptr::null_mut() } else { fp.sub(link) };
            }
        }
        None
    }

    /// The nearest such marker in the frames a cursor stands for.
    unsafe fn find_in_konts(
        &self,
        fp: *const Word,
        winds: &mut usize,
        test: &mut impl FnMut(&MarkView) -> bool,
    ) -> Option<(Hops, MarkView)> {
        // SAFETY: `fp` is a cursor frame; frames in a Kont are complete.
        unsafe {
            let mut hops: Hops = smallvec![hop_of(fp)];
            // The next frame to look at in the last of them, -1 when it is done.
            let mut next = hops[0].mark;
            loop {
                let hop = hops.last_mut()?;
                if next < hop.stop as i64 {
                    hops.pop();
                    // Below the cursor through which the search went in.
                    let hop = hops.last()?;
                    next = below(hop);
                    continue;
                }
                hop.inner = next as usize;
                let frame = kont_words(hop.kont).add(hop.inner);
                if super::is_frame_of(frame, self.cursor) {
                    let hop = hop_of(frame);
                    next = hop.mark;
                    hops.push(hop);
                } else if let Some(view) = visit(frame, winds, test) {
                    return Some((hops, view));
                } else {
                    next = below(hop);
                }
            }
        }
    }

    /// The nearest marker with this payload.
    pub(super) fn find_payload(&self, payload: Word) -> Option<Found> {
        self.find_mark(|m| m.payload == payload && m.kind != mark::SKIP)
    }

    /// The nearest marker that handles, by a test; what lies between a `SKIP` marker and the
    /// marker it names is passed over.
    pub(super) fn find_handling(&self, mut test: impl FnMut(&MarkView) -> bool) -> Option<Found> {
        let mut skip_to: Option<Word> = None;
        self.find_mark(|m| {
            if let Some(payload) = skip_to {
                if m.payload == payload && m.kind != mark::SKIP {
                    skip_to = None;
                }
                return false;
            }
            if m.kind == mark::SKIP {
                skip_to = (!planted(Fault::MaskIgnored)).then_some(m.payload);
                return false;
            }
            test(m)
        })
    }

    /// The marker for ops called `op`: a function takes all, a dict those it has a key for.
    pub(super) fn find_effect(&self, op: Word) -> Option<Found> {
        // SAFETY: `op` is live, payloads of markers are live.
        unsafe {
            let key: Value<'_> = Value::from_raw(op);
            // Handlers come in stacks of the same few shapes.
            let mut without = None;
            self.find_mark(|m| {
                if m.kind != mark::EFFECT {
                    return false;
                }
                let payload: Value<'_> = Value::from_raw(m.payload);
                let Some(dict) = payload.as_dict() else { return true };
                let shape = dict.shape();
                if shape.is_some() && shape == without {
                    return false;
                }
                let takes = self.isolate.heap.dict_get(dict, key).is_some();
                without = if takes { without } else { shape };
                takes
            })
        }
    }
}

/// The marker or cursor below the one at `inner` in its Kont, -1 if that is the lowest.
///
/// # Safety
/// A marker or cursor frame starts at `inner`.
unsafe fn below(hop: &Hop) -> i64 {
    // SAFETY: by the caller.
    match unsafe { int_slot(kont_words(hop.kont).add(hop.inner), marker::LINK) } {
        0 => -1,
        link => hop.inner as i64 - link,
    }
}

impl MarkView {
    fn found(self, frame: *mut Word, hops: Hops, winds: usize) -> Found {
        Found {
            frame,
            hops,
            payload: self.payload,
            winds,
            is_wind: self.kind == mark::WIND,
        }
    }
}

/// Asks the test, or counts a wind: answers the marker if the test says yes.
unsafe fn visit(fp: *const Word, winds: &mut usize, test: &mut impl FnMut(&MarkView) -> bool) -> Option<MarkView> {
    // SAFETY: `fp` is a marker frame.
    let view = unsafe {
        MarkView {
            kind: int_slot(fp, marker::KIND),
            payload: *fp.add(marker::PAYLOAD),
        }
    };
    if test(&view) {
        return Some(view);
    }
    *winds += (view.kind == mark::WIND) as usize;
    None
}
