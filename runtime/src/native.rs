//! What the machine and native code agree on: how native code is entered and left, the context
//! it reads, the helpers it calls, what a compiler is asked for and answers.
//!
//! Native code is stackless: every frame it works on is an ordinary frame of the VM stack, calls
//! and returns are jumps, and between two pieces of native code nothing lies on the native stack.
//! So leaving it at any point is: store what is not in the frame yet, say which instruction is
//! next, return. docs/decisions/0006-stackless-native-code.md has the reasons.
//!
//! Invariants: no address of the heap is in native code but those of cells, which never move, nor of an
//! instance but its own; no address of native code is anywhere but in `Instance::entry`, `NativeState` and the entry table.
//! Deliberately absent: code generation (`jit`), what helpers do (`interp`).

use crate::chunk::Chunk;
use crate::heap::Nursery;
use crate::stack::Interrupter;
use crate::value::Word;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// What native code answers when it returns to who entered it.
pub mod status {
    /// The frame at `Context::fp` is to be run from its first instruction.
    pub const ENTER: u64 = 1;
    /// The stack says what is to be run.
    pub const MOVED: u64 = 2;
}

macro_rules! helpers {
    ($($(#[doc = $doc:literal])* $Name:ident $field:ident ($($arg:ident)*) $float:literal;)*) => {
        /// A function of the machine that native code calls, by its place in `Context::helpers`.
        /// All take the context first, and words; see the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Helper { $($(#[doc = $doc])* $Name,)* }
        impl Helper {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Helper] = &[$(Helper::$Name),*];
        }
        /// Name, number of arguments after the context, takes one float instead.
        pub const HELPERS: &[(&str, usize, bool)] =
            &[$((stringify!($field), { let names: &[&str] = &[$(stringify!($arg)),*]; names.len() }, $float)),*];
        /// The addresses, in the order of the table.
        pub struct Helpers { $($(#[doc = $doc])* pub $field: usize,)* }
        impl Helpers {
            /// As `Context::helpers` holds them.
            pub fn table(&self) -> [usize; HELPERS.len()] {
                [$(self.$field),*]
            }
        }
    };
}

helpers! {
    /// Do the instruction at `pc` by its primitive: its value, or SUSPEND if it raised.
    Slow slow (fp pc) false;
    /// Call the primitive of the `CallPrim` at `pc`: its value, or SUSPEND if it raised.
    Primitive primitive (fp pc) false;
    /// Look up the key of the `Get` at `pc`: its value, or SUSPEND if it raised.
    Get get (fp pc) false;
    /// Make the closure of the `MakeClosure` at `pc`, or SUSPEND.
    MakeClosure make_closure (fp pc) false;
    /// Make the box of the `NewBox` at `pc`, or SUSPEND.
    NewBox new_box (fp pc) false;
    /// Store into the global of the `SetGlobal` or `DefGlobal` at `pc`. SUSPEND: go on in the machine,
    /// which stands behind it.
    StoreGlobal store_global (fp pc) false;
    /// Make the running frame a marker, or SUSPEND.
    PushMark push_mark (fp pc) false;
    /// Unlink the running frame, a marker.
    PopMark pop_mark (fp pc) false;
    /// A store of a young value into an old object.
    Barrier barrier (object field value) false;
    /// A heap float.
    BoxFloat box_float (value) true;
    /// The limit was lowered: look around. 0, or where to go on.
    Poll poll (fp pc) false;
    /// A call that is no exact call of a closure with room on the stack: where to go on.
    Call call (window argc) false;
    /// The same in tail position, at `pc`.
    TailCall tail_call (fp pc) false;
    /// The control operation at `pc`: where to go on.
    Control control (fp pc) false;
    /// A return into a frame that goes on in the machine: where to go on.
    Returned returned (above value site) false;
    /// A guard failed: the machine does the instruction at `pc`.
    Exit exit (fp pc) false;
}

/// The helpers that say where to go on. Native code jumps to them through stubs, so that a piece
/// that does not call anything else needs no frame of its own.
pub const JUMPS: [Helper; 5] = [
    Helper::Returned,
    Helper::Call,
    Helper::TailCall,
    Helper::Control,
    Helper::Exit,
];

/// What native code reads and writes; `fp`, `value` and `site` carry the registers of a piece
/// that a helper names as the next one.
#[repr(C)]
pub struct Context {
    /// Where the word of the stack's limit lies.
    pub limit: *const AtomicUsize,
    /// Where the nursery's `top` and `limit` lie.
    pub nursery: *const Nursery,
    /// The entry table: addresses by number. Row 0 goes on in the machine.
    pub entries: *const usize,
    /// The machine, for helpers.
    pub machine: *mut (),
    /// The frame that goes on; for what goes on behind a call, the place above it where the callee's
    /// was.
    pub fp: *mut Word,
    /// The value the callee has returned.
    pub value: Word,
    /// The site word of the call that returned.
    pub site: Word,
    /// What the helper called last has answered.
    pub answer: u64,
    /// Addresses of the helpers.
    pub helpers: [usize; HELPERS.len()],
    /// Addresses of the stubs that call them.
    pub calls: [usize; HELPERS.len()],
    /// Addresses of the stubs of `JUMPS`.
    pub jumps: [usize; JUMPS.len()],
}

/// Addresses of the fixed pieces of native code.
#[derive(Clone, Copy, Debug)]
pub struct Stubs {
    /// From Rust: `(context, piece, fp, value, site) -> status`.
    pub enter: usize,
    /// What an instance without native code is entered at: answers `ENTER`.
    pub interpret: usize,
    /// Answers `MOVED`.
    pub moved: usize,
    /// Each calls a helper and leaves what it answers in the context. No register changes, so that a
    /// call on a side way costs the short way nothing.
    pub calls: [usize; HELPERS.len()],
    /// Each calls a helper of `JUMPS` and goes on where that says. The first is row 0 of the entry
    /// table.
    pub jumps: [usize; JUMPS.len()],
}

impl Stubs {
    /// Row 0 of the entry table.
    pub fn returned(&self) -> usize {
        self.jumps[0]
    }
}

/// What is to be compiled: a plain copy, so that another thread can do it.
#[derive(Clone, Debug)]
pub struct CompileJob {
    /// The function.
    pub chunk: Arc<Chunk>,
    /// The instance's own copy of the code, with redefinitions patched and feedback noted.
    pub code: Vec<u64>,
    /// The constants as words. Only those that are cells of globals mean anything: cells do not move,
    /// and they live as long as the instance.
    pub consts: Vec<Word>,
    /// Instructions that left too often: they get code for every kind of operand.
    pub generic: Vec<u32>,
    /// Calls of globals whose value takes a list of further arguments, and gets none.
    pub empty_rest: Vec<u32>,
    /// Calls of globals whose value is a closure of the function itself, with as many arguments as it
    /// takes.
    pub itself: Vec<u32>,
    /// Small functions that globals it calls have as their value, by the instruction of the call. What
    /// becomes part of the code is in `Compiled::inlined`.
    pub callees: Vec<(u32, CompileJob)>,
    /// Loop heads that the machine wants to enter at.
    pub loops: Vec<u32>,
    /// Where the function has begun to be hot, the slots that held floats there.
    pub floats: Vec<(u32, Vec<u16>)>,
    /// Number of the native entry behind the first call; further calls have the next ones.
    pub first_entry: u32,
    /// The address of the instance, for telling answers apart.
    pub instance: usize,
}

/// Code that a compiler made.
pub struct Compiled {
    /// The address of the instance it is for.
    pub instance: usize,
    /// Where a call enters.
    pub entry: usize,
    /// Number and address of each entry behind a call.
    pub entries: Vec<(u32, usize)>,
    /// Loop head and address of each entry into a loop.
    pub loops: Vec<(u32, usize)>,
    /// The functions that are part of it.
    pub inlined: Vec<Arc<Chunk>>,
    /// What there is of it.
    pub size: CodeSize,
    /// How much processor time it took.
    pub nanos: u64,
    /// The code itself; dropping this frees it.
    pub memory: Box<dyn std::any::Any + Send>,
}

/// How much code there is for a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeSize {
    /// Bytes.
    pub bytes: usize,
    /// Instructions of the machine it stands for. Those of callees that are part of it count, and those that are in
    /// several pieces count in each.
    pub instructions: usize,
    /// Stores to memory on the straight ways.
    pub stores: usize,
    /// Calls of helpers on the straight ways.
    pub helpers: usize,
    /// Calls of helpers on the side ways.
    pub cold_helpers: usize,
}

macro_rules! bailouts {
    ($($Name:ident $text:literal;)*) => {
        /// Why a function has no native code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Bailout { $(#[doc = $text] $Name,)* }
        /// The reasons in words, in the order of the enum.
        pub const BAILOUTS: &[&str] = &[$($text),*];
    };
}

bailouts! {
    TooLarge "it has more instructions than are worth a compile";
    Refused "the code generator did not take it";
    NoMemory "no memory for code was left";
    NoEntries "no numbers for the places behind its calls were left";
    Injected "a test wanted it so";
}

impl Bailout {
    /// The reason in words.
    pub fn text(self) -> &'static str {
        BAILOUTS[self as usize]
    }
}

macro_rules! reasons {
    ($($Name:ident $text:literal;)*) => {
        /// Why native code was left at an instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Reason { $(#[doc = $text] $Name,)* }
        /// The reasons in words, in the order of the enum.
        pub const REASONS: &[&str] = &[$($text),*];
        impl Reason {
            /// The reason in words.
            pub fn text(self) -> &'static str {
                REASONS[self as usize]
            }
        }
    };
}

reasons! {
    Unbound "the name has no value yet";
    Overflow "the result is too large for a word";
    Zero "the divisor is 0";
    Range "there is no element of that number";
    Variable "a variable does not hold the float it held when the code was made";
    Kind "the operands are not of the kinds it was made for";
    Machine "only the machine does this";
}

/// An instruction at which native code was left.
#[derive(Clone, Debug)]
pub struct Left {
    /// The instruction.
    pub pc: u32,
    /// How often.
    pub count: u32,
    /// Why: the reasons so far, each with the kinds of the operands, as long as they are few.
    pub why: Vec<(Reason, Vec<&'static str>)>,
}

impl Left {
    /// Reasons that are kept of one instruction.
    const MOST_REASONS: usize = 4;

    /// Never so far.
    pub fn new(pc: u32) -> Left {
        Left {
            pc,
            count: 0,
            why: vec![],
        }
    }
    /// Are reasons still of interest?
    pub fn wants_reason(&self) -> bool {
        self.why.len() < Left::MOST_REASONS
    }
    /// Keeps a reason that is new.
    pub fn note(&mut self, why: (Reason, Vec<&'static str>)) {
        if !self.why.contains(&why) {
            self.why.push(why);
        }
    }
}

macro_rules! losses {
    ($($Name:ident $text:literal;)*) => {
        /// Why a function no longer has the code it had.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Loss { $(#[doc = $text] $Name,)* }
        /// The reasons in words, in the order of the enum.
        pub const LOSSES: &[&str] = &[$($text),*];
        impl Loss {
            /// The reason in words.
            pub fn text(self) -> &'static str {
                LOSSES[self as usize]
            }
        }
    };
}

losses! {
    Redefined "a primitive in it, or in a function that is part of it, is redefined";
    Evicted "the memory for code was full";
    Excluded "it is excluded, or a function that is part of it";
    Reset "all code was to be given up";
}

/// Makes native code.
pub trait Compiler {
    /// The fixed pieces.
    fn stubs(&self) -> Stubs;
    /// Compiles now.
    fn compile(&mut self, job: CompileJob) -> Result<Compiled, Bailout>;
    /// Compiles on another thread; `finished` answers it some time, and `wake` is poked then.
    fn submit(&mut self, job: CompileJob, wake: Interrupter);
    /// What has been compiled since the last time, with the instance it was for.
    fn finished(&mut self) -> Vec<(usize, Result<Compiled, Bailout>)>;
    /// Nanoseconds of processor time that the calling thread has had, by which the work of the tier is measured:
    /// others may run meanwhile.
    fn clock(&self) -> u64;
    /// What a function would be compiled to, as text.
    fn explain(&mut self, job: CompileJob) -> Result<Explained, Bailout>;
}

/// The forms a function goes through on its way to machine code, as text.
pub struct Explained {
    /// Its pieces: instructions, what is known of their operands, what leaving them stores.
    pub pieces: String,
    /// The code generator's intermediate form.
    pub form: String,
    /// The machine code.
    pub code: String,
}

/// Numbers of native entries in a row, one for the place behind each call of some code. Frames that
/// wait may hold them as long as the instance lives, whatever code it has by then.
pub struct Entries {
    /// The first number, and how many there are.
    pub numbers: (u32, u32),
    /// Where they go when the instance dies.
    free: Rc<RefCell<Vec<(u32, u32)>>>,
}

impl Entries {
    /// These numbers, which go back to `free`.
    pub fn new(numbers: (u32, u32), free: Rc<RefCell<Vec<(u32, u32)>>>) -> Entries {
        Entries { numbers, free }
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        if self.numbers.1 > 0 {
            self.free.borrow_mut().push(self.numbers);
        }
    }
}

/// What native code there is of an instance, and what is wanted.
#[derive(Default)]
pub struct NativeState {
    /// The code, if there is some.
    pub code: Option<Compiled>,
    /// It has been asked for and not come yet.
    pub pending: bool,
    /// A primitive it was compiled with has been redefined.
    pub stale: bool,
    /// How often it was compiled.
    pub compiles: u32,
    /// It is not to be asked for again.
    pub refused: Option<Bailout>,
    /// Why it has no code any more.
    pub lost: Option<Loss>,
    /// Instructions at which guards failed.
    pub exits: Vec<Left>,
    /// Instructions that get code for every kind of operand.
    pub generic: Vec<u32>,
    /// Loop heads wanted as entries.
    pub loops: Vec<u32>,
    /// How many of `generic` and `loops` the code is for, or the code that has been asked for.
    pub made_for: (usize, usize),
    /// Instruction (the first, or a loop head) and slots that held floats when it was promoted there.
    pub floats: Vec<(u32, Vec<u16>)>,
    /// The numbers of all code it has had, those of what was asked for last.
    pub entries: Vec<Entries>,
}

impl NativeState {
    /// An entry at this loop head is wanted.
    pub fn want_loop(&mut self, pc: u32) {
        if !self.loops.contains(&pc) {
            self.loops.push(pc);
        }
    }

    /// Is other code wanted than there is, or than is coming?
    pub fn lacks(&self) -> bool {
        self.made_for != (self.generic.len(), self.loops.len())
    }
}
