//! The VM stack: one format of frame for the machine, for tools, for the collector and for
//! native code.
//!
//! `fp[0]` closure · `fp[1..]` parameters and temporaries · at a call with window `base`:
//! `fp[base-1]` the site word, `fp[base]` the callee, `fp[base+1..]` its arguments; the callee's
//! `fp` is `fp + base`, so `fp[-1]` is the caller's site. A site word is a fixnum that says where
//! the caller goes on and how far down its frame begins.
//!
//! Three kinds of frame have a meaning of their own, all of built-in chunks: a *marker* (a dynamic
//! extent), a *cursor* (frames that come back from a `Kont` one at a time) and a *handling* frame
//! (a handler runs above it, who performed waits below). Markers and cursors are chained through
//! `LINK`, a distance in words, 0 at the lowest of a stretch; `mark` is the innermost to be seen.
//! Frames in a Kont all wait at calls; one stopped *at* an instruction is kept apart (`fiber.rs`).
//!
//! Invariant: at a safepoint every slot that `live_after` names holds a valid word.
#![allow(unsafe_code)]

use crate::instance::{Instance, instance_of};
use crate::ops::Instr;
use crate::value::Word;
use std::alloc::Layout;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Slots of a marker frame.
pub mod marker {
    /// What kind of extent: `interp`'s `control::mark`.
    pub const KIND: usize = 1;
    /// What a search compares.
    pub const PAYLOAD: usize = 2;
    /// The body; later its value.
    pub const THUNK: usize = 3;
    /// Distance to the next marker or cursor below, 0 if this is the lowest.
    pub const LINK: usize = 4;
}

/// Slots of a cursor frame.
pub mod cursor {
    /// The Kont.
    pub const KONT: usize = 1;
    /// End of the frames that have not come back yet.
    pub const INDEX: usize = 2;
    /// Where they begin.
    pub const STOP: usize = 3;
    /// As in a marker.
    pub const LINK: usize = 4;
    /// Start of the innermost marker or cursor frame among them, -1 if there is none.
    pub const MARK: usize = 5;
    /// Where the value returned into the cursor lies.
    pub const VALUE: usize = 6;
    /// Words of a cursor frame, its site word included.
    pub const SIZE: usize = 8;
}

/// Slots of a handling frame, distances in words.
pub mod handling {
    /// The continuation the handler has, which is none yet.
    pub const RESUME: usize = 1;
    /// Distance to the marker of the handler.
    pub const MARKER: usize = 2;
    /// Distance to the marker that is innermost again when the handler resumes.
    pub const MARK: usize = 3;
    /// Distance to the next handling frame below, 0 if this is the lowest.
    pub const LINK: usize = 4;
    /// Where the value lies that the handler returns instead of resuming.
    pub const VALUE: usize = 5;
    /// Words of a handling frame, its site word included.
    pub const SIZE: usize = 7;
}

/// A site word: where a frame goes on when what it called returns.
///
/// Above `pc` and `base` it has room for the number of a native entry (`native.rs`), 0 if the
/// frame goes on in the machine. The number is a hint: who ignores it goes on at `pc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The call instruction.
    pub pc: usize,
    /// The callee's `fp` minus this frame's.
    pub base: usize,
}

impl Site {
    /// As a word.
    #[inline(always)]
    pub const fn word(self) -> Word {
        Word((self.pc as u64) << 17 | (self.base as u64) << 1)
    }
    /// Back from the word.
    #[inline(always)]
    pub const fn of(word: Word) -> Site {
        debug_assert!(word.is_fixnum());
        Site {
            pc: (word.0 >> 17) as usize & (Site::PCS - 1),
            base: (word.0 >> 1 & 0xffff) as usize,
        }
    }
    /// As a word that names the native entry that goes on here.
    pub const fn with_entry(self, entry: u32) -> Word {
        Word(self.word().0 | (entry as u64) << Site::ENTRY_SHIFT)
    }
    /// The native entry that a site word names, 0 for none.
    #[inline(always)]
    pub const fn entry(word: Word) -> usize {
        (word.0 >> Site::ENTRY_SHIFT) as usize
    }
    /// First bit of the native entry's number.
    pub const ENTRY_SHIFT: u32 = 41;
    /// Instructions a chunk may have.
    pub const PCS: usize = 1 << (Site::ENTRY_SHIFT - 17);
    /// Native entries an isolate may have.
    pub const ENTRIES: usize = 1 << (63 - Site::ENTRY_SHIFT);
}

/// Words of the stack segment.
const SEGMENT_WORDS: usize = 1 << 18;
/// Words kept free above `limit`: the largest frame with the largest call window.
const HEADROOM: usize = 1 << 16;

/// The stack of an isolate.
pub struct Stack {
    /// The running frame.
    pub fp: *mut Word,
    /// The running instruction: the one that asked for the safepoint.
    pub pc: usize,
    /// The innermost marker or cursor, null if there is none.
    pub mark: *mut Word,
    /// The innermost handling frame, null if there is none.
    pub handling: *mut Word,
    /// The wind records entered and not left, innermost first.
    pub winds: Word,
    /// Words outside frames that a collection must visit: operands of a running primitive.
    pub window: (*mut Word, usize),
    /// A frame may begin up to here. 0 asks the next call or loop turn to look around.
    limit: Arc<AtomicUsize>,
    /// The word in `limit`, one load away.
    limit_word: *const AtomicUsize,
    bottom: *mut Word,
    layout: Layout,
    /// Does the stack hold frames?
    pub active: bool,
    /// Does the running frame wait for a call, so that what its instruction reads is no longer
    /// its own?
    pub at_call: bool,
}

/// Asks a running isolate to stop, from any thread.
#[derive(Clone, Debug)]
pub struct Interrupter {
    limit: Arc<AtomicUsize>,
}

impl Interrupter {
    /// Makes the next call or loop turn look around. Harmless when nothing runs.
    pub fn poke(&self) {
        self.limit.store(0, Ordering::Relaxed);
    }
}

impl Stack {
    /// An empty stack.
    pub fn new() -> Stack {
        let layout = Layout::new::<[Word; SEGMENT_WORDS]>();
        // SAFETY: the layout has a size above 0; zeroed words are valid words (fixnum 0).
        let bottom = unsafe { std::alloc::alloc_zeroed(layout) } as *mut Word;
        if bottom.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        let limit: Arc<AtomicUsize> = Arc::default();
        let stack = Stack {
            fp: bottom,
            pc: 0,
            mark: std::ptr::null_mut(),
            handling: std::ptr::null_mut(),
            winds: Word::EMPTY,
            window: (bottom, 0),
            limit_word: Arc::as_ptr(&limit),
            limit,
            bottom,
            layout,
            active: false,
            at_call: false,
        };
        stack.reset_limit();
        stack
    }
    /// Lowest word.
    pub fn bottom(&self) -> *mut Word {
        self.bottom
    }
    /// The limit, as an address.
    #[inline(always)]
    pub fn limit(&self) -> usize {
        // SAFETY: `limit` keeps the word alive as long as the stack.
        unsafe { (*self.limit_word).load(Ordering::Relaxed) }
    }
    /// Makes the next call or loop turn look around.
    pub fn poke(&self) {
        self.limit.store(0, Ordering::Relaxed);
    }
    /// Where the word of the limit lies, for native code.
    pub fn limit_word(&self) -> *const AtomicUsize {
        self.limit_word
    }
    /// Undoes `poke`.
    pub fn reset_limit(&self) {
        self.limit.store(self.real_limit(), Ordering::Relaxed);
    }
    /// Where frames may not begin any more, whatever was poked.
    pub fn real_limit(&self) -> usize {
        self.bottom as usize + (SEGMENT_WORDS - HEADROOM) * size_of::<Word>()
    }
    /// For other threads.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter {
            limit: self.limit.clone(),
        }
    }

    /// What the frames that were on the stack meant is forgotten: they are about to be others.
    pub fn forget_marks(&mut self) {
        self.mark = std::ptr::null_mut();
        self.handling = std::ptr::null_mut();
    }

    /// Every frame from the running one down: `fp`, instance, pc.
    ///
    /// # Safety
    /// The stack is at a safepoint: `fp`, `pc` and every site word below are true.
    pub unsafe fn frames(&self) -> Frames<'_> {
        Frames {
            next: self.active.then_some((self.fp, self.pc)),
            bottom: self.bottom,
            stack: std::marker::PhantomData,
        }
    }

    /// Calls `f` with every live word of every frame.
    ///
    /// # Safety
    /// As `frames`.
    pub unsafe fn visit(&mut self, f: &mut dyn FnMut(&mut Word)) {
        // SAFETY: by the caller; `window` names words of the stack or of a rooted buffer.
        unsafe {
            f(&mut self.winds);
            let (start, n) = self.window;
            (0..n).for_each(|i| f(&mut *start.add(i)));
            let mut top = !self.at_call;
            let frames: Frames<'_> = Frames {
                next: self.active.then_some((self.fp, self.pc)),
                bottom: self.bottom,
                stack: std::marker::PhantomData,
            };
            for frame in frames {
                visit_frame(&frame, top, f);
                top = false;
            }
        }
    }
}

impl Default for Stack {
    fn default() -> Self {
        Stack::new()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { std::alloc::dealloc(self.bottom as *mut u8, self.layout) };
    }
}

/// One frame of a walk.
pub struct FrameRef<'s> {
    /// Its first slot.
    pub fp: *mut Word,
    /// What it runs.
    pub instance: &'s Instance,
    /// The call it waits for, or, for the running frame, the instruction it stands at.
    pub pc: usize,
}

/// Frames from the running one down.
pub struct Frames<'s> {
    next: Option<(*mut Word, usize)>,
    bottom: *mut Word,
    stack: std::marker::PhantomData<&'s Stack>,
}

impl<'s> Iterator for Frames<'s> {
    type Item = FrameRef<'s>;
    fn next(&mut self) -> Option<FrameRef<'s>> {
        let (fp, pc) = self.next?;
        // SAFETY: whoever made this vouched for a stack at a safepoint, so `fp[0]` is a closure
        // and the word below a frame that is not the lowest is a site.
        unsafe {
            self.next = (fp != self.bottom).then(|| {
                let site = Site::of(*fp.sub(1));
                (fp.sub(site.base), site.pc)
            });
            Some(FrameRef {
                fp,
                instance: instance_of(*fp),
                pc,
            })
        }
    }
}

/// Calls `f` with the live words of a frame. `running`: the frame stands *at* its instruction,
/// so what the instruction reads is live too.
///
/// # Safety
/// The frame is at a safepoint.
unsafe fn visit_frame(frame: &FrameRef<'_>, running: bool, f: &mut dyn FnMut(&mut Word)) {
    let chunk = &frame.instance.chunk;
    // SAFETY: the slots of the liveness row hold valid words by the stack's invariant.
    unsafe {
        f(&mut *frame.fp);
        let row = chunk.live_after(frame.pc).unwrap_or(&[]);
        for (i, bits) in row.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                f(&mut *frame.fp.add(i * 64 + bits.trailing_zeros() as usize));
                bits &= bits - 1;
            }
        }
        if running {
            // Visiting a slot twice does no harm: it holds the new address by then.
            Instr(frame.instance.code()[frame.pc]).uses(|s| f(&mut *frame.fp.add(s)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_round_trip() {
        for (pc, base) in [(0, 0), (1, 65535), (Site::PCS - 1, 3)] {
            let site = Site { pc, base };
            for entry in [0, 1, Site::ENTRIES as u32 - 1] {
                let word = site.with_entry(entry);
                assert!(word.is_fixnum());
                assert_eq!((Site::of(word), Site::entry(word)), (site, entry as usize));
            }
        }
    }
}
