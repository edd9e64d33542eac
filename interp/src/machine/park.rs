//! Putting the running program aside, so that another can have the stack, and bringing it back.
//!
//! A program can be parked where it waits for the host's answer (`Exit::Perform`) and where its
//! slice of time ended (`Exit::Preempted`). All its frames go into one Kont, of which a
//! continuation is kept; a frame that stopped *at* an instruction lies in a vector beside it, as
//! in `fiber.rs`. Brought back, the program is where it was when the machine last exited:
//! `answer`, `refuse` and `run` do what they would have done then.
//!
//! Deliberately absent: who runs next, and when. Invariant: a parked program costs the heap its
//! frames and nothing of the stack.

use super::{Machine, kept};
use sx_runtime::error::Raise;
use sx_runtime::heap::Aside;
use sx_runtime::instance::instance_of;
use sx_runtime::value::{Value, Word};
use sx_runtime::vector::size_of_vector;

/// A program that was put aside. It lives as long as this does, unless it was allowed to be ended
/// when memory is short.
pub struct Parked {
    /// A full continuation, and the frame above it that stands at an instruction: its words, then
    /// the pc; nil if there is none.
    frames: Aside,
    /// The report of a condition that nothing took, if its extents are being left.
    noted: Option<Box<super::Failure>>,
}

impl Parked {
    /// What the heap keeps of it.
    pub fn frames(&self) -> &Aside {
        &self.frames
    }
}

impl Machine {
    /// Puts the program aside that performed an op, as `Exit::Perform` said.
    pub fn park_waiting(&mut self) -> Result<Parked, Raise> {
        // SAFETY: the program waits at its perform, whose window holds nothing any more.
        unsafe {
            let at = self.seal_below(self.isolate.state.stack.window.0, 0)?;
            let frames = self.capture_all(at)?;
            Ok(self.parked(frames, Word::NIL))
        }
    }

    /// Puts the program aside whose slice of time ended, as `Exit::Preempted` said. Nothing may
    /// have used the machine since.
    pub fn park_running(&mut self) -> Result<Parked, Raise> {
        // It has not asked for this memory, which is what its frames take on the stack, so it is not
        // refused; whoever asks next may be.
        let limit = self.isolate.heap.limit();
        self.isolate.heap.set_limit(usize::MAX);
        // SAFETY: the running frame stands at an instruction.
        let aside = unsafe { self.set_aside_running() };
        self.isolate.heap.set_limit(limit);
        let (frames, top) = aside?;
        Ok(self.parked(frames, top))
    }

    /// Nothing has collected since the words were made.
    fn parked(&mut self, frames: Word, top: Word) -> Parked {
        let parked = Parked {
            frames: self.isolate.heap.set_aside([frames, top]),
            noted: self.noted.take(),
        };
        // Nothing but `parked` holds what the program holds.
        for row in [kept::LAST, kept::RESULT, kept::ARGS] {
            self.isolate.state.kept[row] = Word::NIL;
        }
        let stack = &mut self.isolate.state.stack;
        stack.active = false;
        stack.forget_marks();
        stack.winds = Word::EMPTY;
        stack.window.1 = 0;
        parked
    }

    /// Brings a parked program back; what was on the stack is dropped. An error if it was ended for
    /// the memory it held.
    pub fn unpark(&mut self, parked: Parked) -> Result<(), Raise> {
        self.clear();
        let [frames, top] = parked.frames.words().ok_or(Raise::Memory)?;
        self.noted = parked.noted;
        // SAFETY: `clear` has put the halt frame at the bottom; the words are what parking made, and
        // nothing collects here.
        unsafe {
            if top == Word::NIL {
                let to = self.put_frames(frames);
                self.wait_below(to, 0);
            } else {
                self.continue_frame(frames, top);
            }
        }
        Ok(())
    }

    /// The frames below the running one as a continuation, and the running one, which stands at
    /// an instruction, as a vector of its words and the pc. Slots nothing will read are nil.
    ///
    /// # Safety
    /// The running frame stands at an instruction, and nothing has collected since.
    pub(super) unsafe fn set_aside_running(&mut self) -> Result<(Word, Word), Raise> {
        // SAFETY: every slot that is read later holds a valid word; the others are overwritten.
        unsafe {
            let (fp, pc) = (self.isolate.state.stack.fp, self.isolate.state.stack.pc);
            let chunk = &instance_of(*fp).chunk;
            let n = chunk.frame_size as usize;
            let live = chunk.live_before(pc);
            for s in (1..n).filter(|s| live[s / 64] >> (s % 64) & 1 == 0) {
                *fp.add(s) = Word::NIL;
            }
            self.wait_below(fp, n);
            let fp = self.seal_below(fp, n)?;
            let k = self.capture_all(fp)?;
            self.isolate.state.kept[kept::LAST] = k;
            self.reserve(size_of_vector(n + 1))?;
            let words = std::slice::from_raw_parts(fp, n);
            let mut frame: Vec<Value<'_>> = words.iter().map(|w| Value::from_raw(*w)).collect();
            frame.push(Value::from_raw(Word::fixnum(pc as i64)));
            let frame = self.isolate.heap.vector_from(&frame).word();
            Ok((self.isolate.state.kept[kept::LAST], frame))
        }
    }
}
