//! The CEK machine: C is (chunk, pc), E is a frame's slots and closure, K is the frames below, all
//! of it on the VM stack of `sx_runtime::stack`.
//!
//! `run` holds the registers (`fp`, the instruction pointer, the constants) in locals and writes
//! them back ("save") before anything that may collect, raise or look at frames. Whatever cannot
//! be done in a few instructions is a method elsewhere in this folder, which leaves the registers
//! in the stack for the loop to load again.
//!
//! Invariant: there is one loop and it is not re-entered: no method here calls SX.
#![allow(unsafe_code)]

mod budget;
mod built;
mod call;
mod captures;
mod control;
mod coroutine;
mod eval;
mod fiber;
mod floats;
mod frames;
mod handling;
mod marks;
mod native;
mod operands;
mod park;
mod raise;
mod run;
mod trace;
mod view;

pub use budget::Budget;
pub use native::{COUNTERS, NativeOptions, NativeStats};
pub use park::Parked;
pub use raise::{Failure, TraceFrame};
pub use trace::Step;

use crate::eval::Evaluator;
use crate::read::SyntaxError;
use sx_runtime::chunk::Chunk;
use sx_runtime::error::{Code, Raise};
use sx_runtime::heap::{HeapOptions, OutOfMemory};
use sx_runtime::host::Host;
use sx_runtime::instance::{Instance, builtin};
use sx_runtime::isolate::Isolate;
use sx_runtime::object;
use sx_runtime::ops::OPS;
use sx_runtime::prims::{self, PrimId};
use sx_runtime::print::Style;
use sx_runtime::stack::Site;
use sx_runtime::value::{Value, Word};

macro_rules! exits {
    ($($(#[doc = $doc:literal])* $Name:ident $(($payload:ty))?;)*) => {
        /// Why `run` came back.
        #[derive(Debug)]
        pub enum Exit { $($(#[doc = $doc])* $Name $(($payload))?,)* }
        /// The name of each and what it means.
        pub const EXITS: &[(&str, &str)] = &[$((stringify!($Name), concat!($($doc),*))),*];
    };
}

exits! {
    /// The program's value; rooted until the machine is used again.
    Value(Word);
    /// Nothing took a condition.
    Failed(Box<Failure>);
    /// The program performed an op that no handler took; `answer` goes on.
    Perform;
    /// Someone asked the program to stop.
    Interrupted(Box<Failure>);
    /// `step_limit` instructions were run.
    Stepped;
    /// Its slice of time is over; `run` goes on, and so does `unpark` after `park_running`.
    Preempted;
}

/// How the machine is made to stumble, for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stress {
    /// Seal the stack at every call.
    pub seal_every_call: bool,
    /// Seal the stack at every performed op.
    pub suspend_every_perform: bool,
}

/// The machine of an isolate.
pub struct Machine {
    /// What it runs on.
    pub isolate: Isolate,
    /// Stress modes.
    pub stress: Stress,
    /// Has the memory limit been stretched so that an error can be handled?
    grace: Option<usize>,
    /// Recursion has been refused, and its memory not been given back yet: bytes in use when that was last looked
    /// at.
    exhausted: Option<usize>,
    halt: Word,
    marker: Word,
    cursor: Word,
    handling: Word,
    /// The primitive that does an instruction's work when its fast path does not.
    slow: Vec<Option<PrimId>>,
    /// The report of a condition nothing took, while the program's extents are left.
    noted: Option<Box<Failure>>,
    /// What evaluations share.
    pub evaluator: Evaluator,
    /// The errors of a text, until the condition that reports them is made.
    syntax_errors: Vec<SyntaxError>,
    /// What `run` is to raise instead of going on with an answer.
    refused: Option<Raise>,
    /// The programs that run under the program, innermost last.
    fibers: Vec<fiber::Fiber>,
    /// Has the stack been given to another program?
    switched: bool,
    /// How many ops the host was handed.
    performs: u64,
    /// How long the program may run; `start` leaves it as it is.
    pub budget: Budget,
    /// Instructions left before `Exit::Stepped`; only looked at when tracing.
    pub step_limit: u64,
    /// Are the instructions of the loop counted, in all and by function? It takes a loop of its own, which is
    /// slower.
    pub counting: bool,
    /// Instructions the loop has run while they were counted.
    interpreted: u64,
    /// The native tier, if there is one.
    native: Option<Box<native::Tier>>,
    /// The functions it is to leave alone.
    exclusions: native::Exclusions,
    /// The site word of the call that the running frame was given its value for last.
    resumed: Word,
}

/// Rows of `State::kept` that belong to the machine.
mod kept {
    /// The built-in closures.
    pub const HALT: usize = 0;
    pub const MARKER: usize = 1;
    pub const CURSOR: usize = 2;
    pub const HANDLING: usize = 3;
    /// The value of the last run, or the request on its way to the host.
    pub const RESULT: usize = 4;
    /// Op and arguments of the request.
    pub const OP: usize = 5;
    pub const ARGS: usize = 6;
    /// What an operation must keep over a collection.
    pub const LAST: usize = 7;
    pub const COUNT: usize = 8;
}

impl Machine {
    /// A machine with the primitives and no library.
    pub fn new(options: HeapOptions, host: Box<dyn Host>) -> Result<Machine, OutOfMemory> {
        let mut isolate = Isolate::new(options, host);
        isolate.state.kept = vec![Word::NIL; kept::COUNT];
        let slow = (0..OPS.len()).map(|i| slow_primitive(i as u8)).collect();
        let mut machine = Machine {
            isolate,
            stress: Stress::default(),
            grace: None,
            exhausted: None,
            halt: Word::NIL,
            marker: Word::NIL,
            cursor: Word::NIL,
            handling: Word::NIL,
            slow,
            noted: None,
            evaluator: Evaluator::new(),
            syntax_errors: vec![],
            refused: None,
            fibers: vec![],
            switched: false,
            performs: 0,
            budget: Budget::UNLIMITED,
            step_limit: 0,
            counting: false,
            interpreted: 0,
            native: None,
            exclusions: native::Exclusions::default(),
            resumed: Word(0),
        };
        for (row, chunk) in [
            (kept::HALT, built::halt_chunk()),
            (kept::MARKER, built::marker_chunk()),
            (kept::CURSOR, built::cursor_chunk()),
            (kept::HANDLING, built::handling_chunk()),
        ] {
            let closure = machine.isolate.old_closure(&chunk);
            machine.isolate.state.kept[row] = closure;
        }
        for (number, (name, _, params, least, doc)) in crate::control::PROCEDURES.iter().enumerate() {
            let chunk = Chunk::described(name, doc, *least, params.len() > *least, params);
            machine
                .isolate
                .add_builtin(name, chunk, builtin::CONTROL + number as u32);
        }
        machine.halt = machine.isolate.state.kept[kept::HALT];
        machine.marker = machine.isolate.state.kept[kept::MARKER];
        machine.cursor = machine.isolate.state.kept[kept::CURSOR];
        machine.handling = machine.isolate.state.kept[kept::HANDLING];
        Ok(machine)
    }

    /// Prepares a call of `callee` with `args` on the empty stack; `run` carries it out.
    /// The words are live. Whatever ran before is dropped.
    pub fn start(&mut self, callee: Word, args: &[Word]) {
        self.clear();
        // SAFETY: the segment has room above the halt frame.
        unsafe {
            let callee_fp = self.isolate.state.stack.bottom().add(built::HALT_SIZE);
            *callee_fp = callee;
            for (i, arg) in args.iter().enumerate() {
                *callee_fp.add(1 + i) = *arg;
            }
            self.isolate.state.stack.window = (callee_fp, args.len() + 1);
        }
    }

    /// Drops the program that runs: leaves the halt frame alone on the stack, waiting.
    pub fn clear(&mut self) {
        self.drop_fibers();
        let stack = &mut self.isolate.state.stack;
        stack.forget_marks();
        stack.winds = Word::EMPTY;
        stack.window.1 = 0;
        self.noted = None;
        self.refused = None;
        if let Some(limit) = self.grace.take() {
            self.isolate.heap.set_limit(limit);
        }
        // SAFETY: the lowest words of the segment are ours; the halt frame is complete.
        unsafe {
            let fp = stack.bottom();
            *fp = self.halt;
            *fp.add(1) = Word::NIL;
            *fp.add(built::HALT_SIZE - 1) = Site {
                pc: 0,
                base: built::HALT_SIZE,
            }
            .word();
            stack.active = true;
            stack.fp = fp;
            stack.pc = 0;
            stack.at_call = true;
            stack.reset_limit();
            if self.stress.seal_every_call {
                // From now on every call looks around, and finds that it has to seal.
                stack.poke();
            }
        }
    }

    /// Goes on after `Exit::Perform` with the host's answer. The word is live.
    pub fn answer(&mut self, value: Word) {
        self.isolate.state.kept[kept::RESULT] = value;
        self.refused = None;
    }

    /// Goes on after `Exit::Perform` with a condition: the `perform` raises it, and the program
    /// may catch it there.
    pub fn refuse(&mut self, raise: Raise) {
        self.refused = Some(raise);
    }

    /// Goes on after `Exit::Perform` with the error of an op that nobody services.
    pub fn refuse_unhandled(&mut self) {
        let (op, _) = self.request();
        let message = format!("Unhandled effect: {}", self.isolate.heap.print(op, Style::Display));
        self.refuse(Raise::new(Code::Effect, message));
    }

    /// The request of `Exit::Perform`: the op's name and the list of its arguments.
    pub fn request(&self) -> (Value<'_>, Value<'_>) {
        let kept = &self.isolate.state.kept;
        // SAFETY: `kept` is rooted.
        unsafe { (Value::from_raw(kept[kept::OP]), Value::from_raw(kept[kept::ARGS])) }
    }

    /// The value of `Exit::Value`.
    pub fn result(&self) -> Value<'_> {
        // SAFETY: `kept` is rooted.
        unsafe { Value::from_raw(self.isolate.state.kept[kept::RESULT]) }
    }

    /// The value of a core global, which lib/core defines.
    fn core_global(&mut self, name: &str) -> Option<Word> {
        let cell = self.isolate.cell(&name.into(), true);
        // SAFETY: `cell` answers a cell.
        let value = unsafe { object::field(cell, object::cell::VALUE) };
        (value != Word::UNBOUND).then_some(value)
    }

    /// The running instance.
    fn instance(&self) -> &Instance {
        // SAFETY: the running frame's first slot is its closure.
        unsafe { sx_runtime::instance::instance_of(*self.isolate.state.stack.fp) }
    }
}

fn slow_primitive(op: u8) -> Option<PrimId> {
    let op = sx_runtime::ops::Instr(op as u64).op()?;
    prims::by_name(crate::compile::slow_primitive(op)?)
}

/// Is this frame one of `closure`'s, a built-in?
///
/// # Safety
/// `fp` is a frame.
#[inline(always)]
unsafe fn is_frame_of(fp: *const Word, closure: Word) -> bool {
    // SAFETY: by the caller.
    unsafe { *fp == closure }
}

/// Moves the `n` words at `from` down to `to`. They are few: a call costs more than the words.
///
/// # Safety
/// Both are words of the stack, `to` not above `from`.
#[inline(always)]
unsafe fn move_down(from: *const Word, to: *mut Word, n: usize) {
    for i in 0..n {
        // SAFETY: by the caller.
        unsafe { *to.add(i) = *from.add(i) };
    }
}

/// The words as values.
///
/// # Safety
/// The words are live as long as the borrow.
unsafe fn values(words: &[Word]) -> &[Value<'_>] {
    // SAFETY: a value has the representation of a word.
    unsafe { std::slice::from_raw_parts(words.as_ptr() as *const Value<'_>, words.len()) }
}
