//! Fibers: programs that a program runs a few instructions at a time.
//!
//! `%fiber-run` puts the running program, the *stepper*, aside as a full continuation and gives
//! the whole stack to the fiber: its markers, winds and continuations are its own. When the fiber
//! has run its instructions, performs an op that none of its handlers takes, ends or fails, its
//! frames become a full continuation in turn, and the stepper goes on with a vector that says
//! what happened: `#(event value continuation frame functions control variables)`.
//!
//! A fiber that stops between instructions stands *at* an instruction of its top frame, not after
//! a call. That frame goes into a vector (its words, then the pc, dead slots nil) and only the
//! frames below it, which all wait at calls, into a Kont; so no Kont has a frame that is to be
//! resumed in another way than by returning into it. Both are immutable: a fiber can be continued
//! from the same place any number of times.

use super::control::Stop;
use super::view::Datum;
use super::{Exit, Machine, built, kept};
use sx_runtime::error::{Code, Raise};
use sx_runtime::instance::instance_of;
use sx_runtime::object::Type;
use sx_runtime::value::{Value, Word};

/// What `%fiber-run` is told to do.
mod kind {
    /// Begin with a call of a thunk.
    pub const START: i64 = 0;
    /// Give a value to a continuation.
    pub const RESUME: i64 = 1;
    /// Go on at the instruction of a frame.
    pub const CONTINUE: i64 = 2;
    /// Begin, and note every instruction.
    pub const TRACE: i64 = 3;
}

/// What happened to a fiber.
mod event {
    pub const PAUSED: i64 = 0;
    pub const SUSPENDED: i64 = 1;
    pub const DONE: i64 = 2;
    pub const FAILED: i64 = 3;
}

/// A fiber that runs.
#[derive(Debug)]
pub(super) struct Fiber {
    /// Row of `State::kept` with the stepper's continuation.
    stepper: usize,
    /// Instructions the stepper had left, if it is a fiber too or is being traced.
    limit: u64,
    /// Instructions to note, when tracing: the row after `stepper` holds the list so far.
    trace: Option<u64>,
    /// Has a condition that nothing took ended it?
    failed: bool,
}

type Step = Result<(), Stop>;

impl Machine {
    /// `%fiber-run`: kind, continuation or thunk, frame or value or limit, number of instructions
    /// (negative: as many as it takes).
    ///
    /// # Safety
    /// The four arguments lie in the window above `at`, and the frame below waits.
    pub(super) unsafe fn fiber_run(&mut self, at: *mut Word) -> Result<Option<Word>, Stop> {
        // SAFETY: the window is moved along with the frames, and read again after each collection.
        unsafe {
            let begins = matches!((*at.add(1)).as_fixnum(), kind::START | kind::TRACE);
            if !begins && !Value::from_raw(*at.add(2)).is(Type::Continuation) {
                return Err(Raise::new(Code::Type, "%fiber-run: expected a continuation").into());
            }
            let at = self.seal_below(at, 5)?;
            let stepper = self.capture_all(at)?;
            let (how, k, x, steps) = (*at.add(1), *at.add(2), *at.add(3), *at.add(4));
            let how = how.as_fixnum();
            let row = self.isolate.state.kept.len();
            self.isolate.state.kept.push(stepper);
            let trace = (how == kind::TRACE).then(|| x.as_fixnum().max(0) as u64);
            if trace.is_some() {
                self.isolate.state.kept.push(Word::EMPTY);
            }
            self.fibers.push(Fiber {
                stepper: row,
                limit: self.step_limit,
                trace,
                failed: false,
            });
            self.step_limit = u64::try_from(steps.as_fixnum()).unwrap_or(u64::MAX);
            self.switched = true;
            match how {
                kind::RESUME => self.throw(k, x)?,
                kind::CONTINUE => self.continue_frame(k, x),
                _ => self.begin_fiber(k)?,
            }
            Err(Stop::Exit(Box::new(Exit::Stepped)))
        }
    }

    /// The whole stack for a call of `thunk`.
    unsafe fn begin_fiber(&mut self, thunk: Word) -> Step {
        // SAFETY: the lowest frame, which never moves, waits for what lies above it.
        unsafe {
            let stack = &mut self.isolate.state.stack;
            stack.forget_marks();
            stack.winds = Word::EMPTY;
            let callee = stack.bottom().add(built::HALT_SIZE);
            *callee = thunk;
            self.enter(callee, 0)?;
            Ok(())
        }
    }

    /// The whole stack for the frames of `k` and, above them, the frame in a vector.
    pub(super) unsafe fn continue_frame(&mut self, k: Word, frame: Word) {
        // SAFETY: `pause` made both; a frame fits above a cursor.
        unsafe {
            let to = self.put_frames(k);
            let frame: Value<'_> = Value::from_raw(frame);
            let mut last = Word::NIL;
            for (i, word) in frame.as_vector().into_iter().flat_map(|v| v.iter()).enumerate() {
                last = word.word();
                *to.add(i) = last;
            }
            let stack = &mut self.isolate.state.stack;
            stack.fp = to;
            stack.pc = last.as_fixnum() as usize;
            stack.at_call = false;
            stack.window.1 = 0;
        }
    }

    /// A condition that nothing takes ends the fiber that runs, if one does.
    pub(super) fn note_fiber_failure(&mut self) {
        if let Some(fiber) = self.fibers.last_mut() {
            fiber.failed = true;
        }
    }

    /// Does a program run under the program?
    pub(super) fn is_stepping(&self) -> bool {
        !self.fibers.is_empty()
    }

    /// Does an instruction of this closure count as a step? In a fiber those of the core library
    /// do not: what it does is one step of whoever called it.
    ///
    /// # Safety
    /// `closure` is that of a frame.
    pub(super) unsafe fn counts(&self, closure: Word) -> bool {
        // SAFETY: by the caller.
        self.fibers.is_empty() || !unsafe { instance_of(closure) }.chunk.core
    }

    /// Instructions that the program itself may run, whatever it steps.
    pub(super) fn set_outer_limit(&mut self, limit: u64) {
        match self.fibers.first_mut() {
            Some(fiber) => fiber.limit = limit,
            None => self.step_limit = limit,
        }
    }

    /// Forgets all fibers.
    pub(super) fn drop_fibers(&mut self) {
        if let Some(first) = self.fibers.first() {
            self.isolate.state.kept.truncate(first.stepper);
            self.fibers.clear();
        }
        self.switched = false;
    }

    /// The loop has been left: for good, or because a fiber begins or stops here (`None`).
    pub(super) fn after_exit(&mut self, exit: Exit) -> Option<Exit> {
        if std::mem::take(&mut self.switched) {
            return None;
        }
        let Some(fiber) = self.fibers.last_mut() else {
            return Some(exit);
        };
        // SAFETY: the loop has left the stack at a safepoint.
        let stopped = unsafe {
            match &exit {
                Exit::Value(value) => self.stepper_goes_on(event::DONE, Some(*value), None, None),
                Exit::Perform => self.suspend(),
                Exit::Stepped if fiber.trace.is_some_and(|left| left > 0) => self.note_instruction(),
                Exit::Stepped => self.pause(),
                Exit::Failed(_) if fiber.failed => {
                    let condition = self.isolate.state.kept[kept::RESULT];
                    self.stepper_goes_on(event::FAILED, Some(condition), None, None)
                }
                Exit::Failed(_) | Exit::Interrupted(_) | Exit::Preempted => return Some(exit),
            }
        };
        match stopped {
            Ok(()) => None,
            Err(_) => Some(Exit::Failed(Box::new(self.failure_here("memory limit")))),
        }
    }

    /// The fiber stands at an instruction it shall not run yet.
    unsafe fn pause(&mut self) -> Result<(), Raise> {
        // SAFETY: every slot that is read later holds a valid word; the others are overwritten.
        unsafe {
            let view = self.view_of_fiber(true);
            let (k, frame) = self.set_aside_running()?;
            self.stepper_goes_on(event::PAUSED, None, Some((k, frame)), Some(view))
        }
    }

    /// The fiber performs an op for its stepper.
    unsafe fn suspend(&mut self) -> Result<(), Raise> {
        // SAFETY: the fiber waits at its perform, whose window holds nothing any more.
        unsafe {
            let view = self.view_of_fiber(false);
            let at = self.isolate.state.stack.window.0;
            let at = self.seal_below(at, 0)?;
            let k = self.capture_all(at)?;
            let request = self.isolate.state.kept[kept::RESULT];
            self.stepper_goes_on(event::SUSPENDED, Some(request), Some((k, Word::NIL)), Some(view))
        }
    }

    /// One row of a trace; the fiber goes on.
    unsafe fn note_instruction(&mut self) -> Result<(), Raise> {
        let row = self.view_of_instruction();
        let made = self.make(&row)?;
        let Some(fiber) = self.fibers.last_mut() else {
            return Ok(());
        };
        fiber.trace = fiber.trace.map(|left| left - 1);
        let rows = fiber.stepper + 1;
        let kept = &mut self.isolate.state.kept;
        kept.truncate(rows + 1);
        kept[kept::LAST] = made;
        self.reserve(sx_runtime::heap::Heap::SIZE_OF_PAIR)?;
        let kept = &mut self.isolate.state.kept;
        // SAFETY: `kept` is rooted.
        let (row, list) = unsafe { (Value::from_raw(kept[kept::LAST]), Value::from_raw(kept[rows])) };
        let list = self.isolate.heap.cons(row, list).word();
        self.isolate.state.kept[rows] = list;
        self.step_limit = 1;
        Ok(())
    }

    /// Gives the stack back to the stepper of the innermost fiber, which goes on with what
    /// happened to it.
    unsafe fn stepper_goes_on(
        &mut self,
        event: i64,
        value: Option<Word>,
        rest: Option<(Word, Word)>,
        view: Option<[Datum; 3]>,
    ) -> Result<(), Raise> {
        let Some(fiber) = self.fibers.pop() else { return Ok(()) };
        let stack = &mut self.isolate.state.stack;
        stack.active = false;
        stack.window.1 = 0;
        stack.forget_marks();
        stack.winds = Word::EMPTY;
        let kept = &mut self.isolate.state.kept;
        let value = match fiber.trace {
            Some(_) => kept[fiber.stepper + 1],
            None => value.unwrap_or(Word::NIL),
        };
        let (k, frame) = rest.unwrap_or((Word::NIL, Word::NIL));
        let row = kept.len();
        kept.extend([value, k, frame]);
        let [functions, control, variables] = view.unwrap_or([Datum::Nil, Datum::Nil, Datum::Nil]);
        let happened = Datum::Vector(vec![
            Datum::Int(event),
            Datum::Kept(row),
            Datum::Kept(row + 1),
            Datum::Kept(row + 2),
            functions,
            control,
            variables,
        ]);
        let made = self.make(&happened)?;
        let stepper = self.isolate.state.kept[fiber.stepper];
        self.isolate.state.kept.truncate(fiber.stepper);
        self.step_limit = fiber.limit;
        self.isolate.state.stack.active = true;
        // SAFETY: both words are live, and nothing collects before they are on the stack.
        match unsafe { self.throw(stepper, made) } {
            Ok(()) => Ok(()),
            Err(_) => Err(Raise::new(Code::Control, "the stepper is gone")),
        }
    }
}
